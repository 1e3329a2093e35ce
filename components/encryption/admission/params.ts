import { ALLOWED, PARAMETER } from "../../../prover/live/admission.ts";
import type { EncryptionMode, Settings } from "../../settings.ts";
import { expectedConfig } from "../values.ts";

export { ALLOWED, PARAMETER } from "../../../prover/live/admission.ts";

/** The first word of a line. */
export const MODES: readonly EncryptionMode[] = ["wireguard", "ipsec", "none"];

/** Options of cilium-config that may not be taken back where the settings have them, besides the mode itself. Without a value: the option must be absent. */
const KEPT = [
  "encrypt-node",
  "enable-encryption-strict-mode",
  "enable-encryption-strict-mode-egress",
  "enable-encryption-strict-mode-ingress",
  "encryption-strict-mode-cidr",
  "encryption-strict-egress-cidr",
  "ipsec-key-file",
];

/** Plaintext to addresses of remote nodes is what strict mode leaves open where it must; where not, it stays closed. */
const KEPT_CLOSED = [
  "encryption-strict-mode-allow-remote-node-identities",
  "encryption-strict-egress-allow-remote-node-identities",
];

/** What these settings let into the cluster, as a line of the parameter: the mode, then `option=value` for each option of cilium-config that must stay. */
export function allowedBy(settings: Settings): string {
  const expected = expectedConfig(settings);
  const kept = KEPT.filter((name) => expected[name] !== null).map((name) => `${name}=${expected[name]}`);
  const closed = KEPT_CLOSED.filter((name) => expected[name] === "false").map((name) => `${name}=false`);
  // By its default control planes opt out; any other list lets more nodes do so.
  const labels = expected["encrypt-node"] === "true" ? ["node-encryption-opt-out-labels="] : [];
  return [settings.encryption, ...kept, ...closed, ...labels].join(" ");
}

/** The alternatives in a parameter's text, each once. */
export function alternatives(allowed: string): string[] {
  const lines = allowed.split("\n").map((line) => line.trim());
  return [...new Set(lines.filter((line) => line !== ""))];
}

/**
 * The parameter's text for one of the two steps of a change: `widen` lets the new state in beside what is let in now, `narrow` the new one alone.
 * @param live the text in force; undefined where there is none
 */
export function allowedText(step: "widen" | "narrow", wanted: string, live: string | undefined): string {
  const before = step === "widen" && live !== undefined ? alternatives(live) : [];
  return [...new Set([...before, wanted])].map((line) => `${line}\n`).join("");
}

/** The parameter as a manifest. */
export function parameterManifest(namespace: string, allowed: string): object {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: PARAMETER, namespace, labels: { "app.kubernetes.io/managed-by": "wirecloak" } },
    data: { [ALLOWED]: allowed },
  };
}
