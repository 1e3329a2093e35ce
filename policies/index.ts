import { PolicyPack } from "@pulumi/policy";
import { endWithEngine } from "./lifetime.ts";
import { policiesOf } from "./pack.ts";
import { RULES } from "./rules/index.ts";
import { allowPlaintext, listenForStackConfig } from "./stackConfig.ts";

endWithEngine();
listenForStackConfig();
const where = () => ({ today: new Date(), allowPlaintext: allowPlaintext() });
// The pack serves from here on: tests import the rules, never this file.
new PolicyPack("wirecloak", { policies: policiesOf(RULES, { where, folder: process.env.PROGRAM_FOLDER }) });
