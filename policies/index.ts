import { PolicyPack } from "@pulumi/policy";
import { ciliumEncrypted } from "./rules/ciliumEncrypted.ts";

// The pack serves from here on: tests import the rules, never this file.
new PolicyPack("wirecloak", { policies: [ciliumEncrypted] });
