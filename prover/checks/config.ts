import { type Check, contradicts } from "../finding.ts";
import type { Intent } from "../intent.ts";
import { byWhom } from "../live/changedBy.ts";
import type { Observation } from "../observation.ts";

const EVIDENCE = "ConfigMap cilium-config";

/** Options of the agent by which traffic is encrypted or not, whatever the Cilium version. */
const ENCRYPTION_OPTION =
  /^(enable-(ipsec|wireguard|encryption|ztunnel)|encrypt-|encryption-|ipsec-|wireguard-|node-encryption)/;

/** Whether traffic is encrypted or not goes by this option. */
export function isEncryptionOption(name: string): boolean {
  return ENCRYPTION_OPTION.test(name);
}

/** Where a key was read, and who wrote it last where the API server tells. */
function evidenceOf(seen: Observation, key: string): string {
  const changes = seen.config?.changes ?? [];
  // A key that is gone has no writer any more.
  const by = changes.find(({ keys }) => keys.includes(key)) ?? (changes.length > 1 ? changes[0] : undefined);
  return by ? `${EVIDENCE}, last written by ${byWhom(by)}` : EVIDENCE;
}

function seeWhoChanged(intent: Intent): string {
  return `deploy again; who changed it: kubectl -n ${intent.cilium.namespace} get configmap cilium-config -o yaml --show-managed-fields`;
}

const configPresent: Check = {
  name: "config-present",
  look: (intent, seen) =>
    seen.config
      ? []
      : [
          contradicts({
            node: null,
            message: `there is no ConfigMap cilium-config in namespace ${intent.cilium.namespace}`,
            evidence: EVIDENCE,
            fix: "deploy Cilium",
          }),
        ],
};

const configValues: Check = {
  name: "config-values",
  look: (intent, seen) => {
    const data = seen.config?.data;
    if (!data) return [];
    return Object.entries(intent.config).flatMap(([key, wanted]) => {
      const found = data[key];
      if (found === (wanted ?? undefined)) return [];
      const message =
        wanted === null
          ? `cilium-config sets ${key} to ${JSON.stringify(found)}, where it must be absent`
          : `cilium-config has ${key} ${found === undefined ? "absent" : JSON.stringify(found)}, where it must be ${JSON.stringify(wanted)}`;
      return [contradicts({ node: null, message, evidence: evidenceOf(seen, key), fix: seeWhoChanged(intent) })];
    });
  },
};

const configExtras: Check = {
  name: "config-extras",
  look: (intent, seen) =>
    Object.entries(seen.config?.data ?? {})
      // "false" is every such option's default, so it says nothing.
      .filter(([key, value]) => ENCRYPTION_OPTION.test(key) && !(key in intent.config) && value !== "false")
      .map(([key, value]) =>
        contradicts({
          node: null,
          message: `cilium-config sets ${key} to ${JSON.stringify(value)}, which nobody asked for`,
          evidence: evidenceOf(seen, key),
          // Helm leaves alone what it did not put there.
          fix: `kubectl -n ${intent.cilium.namespace} patch configmap cilium-config --type=json -p '[{"op":"remove","path":"/data/${key}"}]', then deploy again`,
        }),
      ),
};

/** Options on the command line or in the environment win over cilium-config. */
const agentOptions: Check = {
  name: "agent-options",
  look: (intent, seen) =>
    (seen.daemonSet?.options ?? [])
      .filter((option) => ENCRYPTION_OPTION.test(option.split("=")[0] ?? ""))
      .map((option) =>
        contradicts({
          node: null,
          message: `the agents are started with ${option}, which overrides cilium-config`,
          evidence: "DaemonSet cilium, arguments and environment of cilium-agent",
          fix: `remove it: kubectl -n ${intent.cilium.namespace} edit daemonset cilium`,
        }),
      ),
};

export const configChecks: readonly Check[] = [configPresent, configValues, configExtras, agentOptions];
