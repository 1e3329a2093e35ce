import type { Rule } from "../rule.ts";
import { ciliumAgentWouldNotStart } from "./ciliumAgentWouldNotStart.ts";
import { ciliumEncryptionEnabled } from "./ciliumEncryptionEnabled.ts";
import { ciliumEncryptionType } from "./ciliumEncryptionType.ts";
import { ciliumFips } from "./ciliumFips.ts";
import { ciliumModeRequired } from "./ciliumModeRequired.ts";
import { ciliumNodeEncryptionIneffective } from "./ciliumNodeEncryptionIneffective.ts";
import { ciliumNodeEncryptionRequired } from "./ciliumNodeEncryptionRequired.ts";
import { ciliumRollout } from "./ciliumRollout.ts";
import { ciliumSettingIgnored } from "./ciliumSettingIgnored.ts";
import { ciliumStrictRequired } from "./ciliumStrictRequired.ts";
import { ciliumVersionFloor } from "./ciliumVersionFloor.ts";
import { clusterEncrypted } from "./clusterEncrypted.ts";
import { defaultCniDisabled } from "./defaultCniDisabled.ts";
import { ipsecKeyAge } from "./ipsecKeyAge.ts";
import { ipsecKeyAtRest } from "./ipsecKeyAtRest.ts";
import { ipsecKeyFormat } from "./ipsecKeyFormat.ts";
import { ipsecKeyInPlain } from "./ipsecKeyInPlain.ts";
import { nodeCredentialsKept } from "./nodeCredentialsKept.ts";
import { nodesWaitForCilium } from "./nodesWaitForCilium.ts";
import { wirecloakGuard } from "./wirecloakGuard.ts";
import { wirecloakProof } from "./wirecloakProof.ts";

/** All rules, in the order in which they are told. */
export const RULES: readonly Rule[] = [
  ciliumEncryptionEnabled,
  ciliumEncryptionType,
  ciliumModeRequired,
  ciliumSettingIgnored,
  ciliumNodeEncryptionIneffective,
  ciliumNodeEncryptionRequired,
  ciliumStrictRequired,
  ciliumAgentWouldNotStart,
  ciliumVersionFloor,
  ciliumRollout,
  ciliumFips,
  ipsecKeyFormat,
  ipsecKeyInPlain,
  ipsecKeyAge,
  ipsecKeyAtRest,
  clusterEncrypted,
  defaultCniDisabled,
  nodesWaitForCilium,
  nodeCredentialsKept,
  wirecloakGuard,
  wirecloakProof,
];
