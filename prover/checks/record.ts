import { type Check, contradicts, note } from "../finding.ts";
import { byWhom } from "../live/changedBy.ts";
import { isEncryptionOption } from "./config.ts";

const SECRET = "Secret cilium-ipsec-keys";

/** The key in the Secret against the one that the last update left: agents tell the key's id, and no word of the key. */
const recordedKey: Check = {
  name: "recorded-key",
  look: (intent, { settled }) => {
    if (settled === undefined || intent.encryption !== "ipsec") return [];
    const { record, secret, secretUnread } = settled;
    const found = { node: null, evidence: `${SECRET}, against ConfigMap wirecloak-record` };
    if (secretUnread !== null) {
      const message = `${SECRET} may not be read with these credentials, so nobody compared its key with the one on record`;
      return [note({ node: null, message, evidence: secretUnread })];
    }
    if (secret === null)
      return [contradicts({ ...found, message: `${SECRET} is gone; agents need it to start`, fix: "make up" })];
    const recorded = record?.digests.secret;
    if (typeof recorded !== "string" || recorded === secret.digest) return [];
    const message = `${SECRET} holds another key than the last update left; written by ${byWhom(secret.by)}`;
    return [contradicts({ ...found, message, fix: "make up" })];
  },
};

/** They win over cilium-config on the nodes that they select, and no setting of ours makes any. */
const nodeConfigs: Check = {
  name: "node-configs",
  look: (intent, { config, nodeConfigs = [] }) =>
    nodeConfigs.flatMap(({ name, defaults, by }) =>
      Object.entries(defaults)
        .filter(([key, value]) => isEncryptionOption(key) && value !== (config?.data[key] ?? "false"))
        .map(([key, value]) =>
          contradicts({
            node: null,
            message: `CiliumNodeConfig ${name} sets ${key} to ${JSON.stringify(value)} on the nodes that it selects; written by ${byWhom(by)}`,
            evidence: "CiliumNodeConfigs",
            fix: `kubectl -n ${intent.cilium.namespace} delete ciliumnodeconfig ${name}`,
          }),
        ),
    ),
};

export const recordChecks: readonly Check[] = [nodeConfigs, recordedKey];
