import type { Rule } from "../rule.ts";
import { ciliumEncryptionEnabled } from "./ciliumEncryptionEnabled.ts";
import { ciliumEncryptionType } from "./ciliumEncryptionType.ts";

/** All rules, in the order in which they are told. */
export const RULES: readonly Rule[] = [ciliumEncryptionEnabled, ciliumEncryptionType];
