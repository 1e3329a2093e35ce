import { type Check, contradicts } from "../finding.ts";
import type { Intent } from "../intent.ts";

const EVIDENCE = "ConfigMap cilium-config";

/** Options of the agent by which traffic is encrypted or not, whatever the Cilium version. */
const ENCRYPTION_OPTION =
  /^(enable-(ipsec|wireguard|encryption|ztunnel)|encrypt-|encryption-|ipsec-|wireguard-|node-encryption)/;

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
      return [contradicts({ node: null, message, evidence: EVIDENCE, fix: seeWhoChanged(intent) })];
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
          evidence: EVIDENCE,
          fix: seeWhoChanged(intent),
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
