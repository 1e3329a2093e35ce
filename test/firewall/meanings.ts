import type { Form } from "../../components/encryption/guard/forms.ts";
import { PASSAGES } from "../../components/encryption/guard/passage.ts";
import type { Drop } from "../../components/encryption/guard/ruleset.ts";
import { BLIND, CLOSED } from "../../components/encryption/guard/securityGroup.ts";
import type { Network } from "./addresses.ts";

/** What becomes of a frame on the bridge: it passes, or is dropped and counted under a name. */
export type Fate = Drop | "pass";

/** What a packet is, and what is right to do with it. Written by hand from what Cilium sends, not read from the rules. */
export interface Meaning {
  /** `plaintext`: of pods, to be dropped always. `needed`: a cluster does not work without it in the modes where it passes. */
  is: "plaintext" | "needed" | "other";
  bridge: (forms: readonly Form[]) => Fate;
  group: (forms: readonly Form[], network: Network) => "pass" | "drop";
  /** Why the two differ, where they do: a sentence of securityGroup.ts. */
  because?: (network: Network) => string;
}

const always =
  <T extends string>(fate: T) =>
  () =>
    fate;
const has = (forms: readonly Form[], ...wanted: Form[]) => wanted.some((form) => forms.includes(form));
const inWireguard = (forms: readonly Form[]) => has(forms, "wireguard", "wireguard-nodes");
const inIpsec = (forms: readonly Form[]) => has(forms, "ipsec");
/** Both modes in a change: what one of them sends plain by design has to pass. */
const ownTraffic = (forms: readonly Form[]): Fate =>
  forms.every((form) => form === "wireguard-nodes") ? "node-traffic" : "pass";
const only = (may: boolean) => (may ? "pass" : "drop");
const inVpc = (_: readonly Form[], network: Network) => only(network === "vpc");
const closedOrUnknown = (network: Network) => (network === "vpc" ? CLOSED.ownTraffic : CLOSED.otherNetworks);

const drop = always("drop");
const pass = always("pass");
const OVERLAY = PASSAGES["ipsec-in-overlay"].alsoPasses;
const ERRORS = PASSAGES.fragmentationNeeded.alsoPasses;

export const MEANINGS = {
  "readable overlay": { is: "plaintext", bridge: always("overlay"), group: drop },
  "ESP in an overlay": {
    is: "needed",
    bridge: (forms) => (has(forms, "ipsec-in-overlay") ? "pass" : "overlay"),
    group: drop,
    because: () => OVERLAY,
  },
  "ESP in an overlay, not as Cilium sends it": { is: "other", bridge: always("overlay"), group: drop },
  ESP: {
    is: "needed",
    bridge: (forms) => (inIpsec(forms) ? "pass" : "other-ciphertext"),
    group: (forms) => only(inIpsec(forms)),
  },
  WireGuard: {
    is: "needed",
    bridge: (forms) => (inWireguard(forms) ? "pass" : "other-ciphertext"),
    group: (forms) => only(inWireguard(forms)),
  },
  "ESP of a control plane": {
    is: "other",
    bridge: (forms) => (inIpsec(forms) ? "pass" : "other-ciphertext"),
    ...{ group: drop, because: () => CLOSED.controlPlane },
  },
  "WireGuard of a control plane": {
    is: "other",
    bridge: (forms) => (inWireguard(forms) ? "pass" : "other-ciphertext"),
    ...{ group: drop, because: () => CLOSED.controlPlane },
  },
  "no ciphertext": { is: "plaintext", bridge: always("other-ciphertext"), group: drop },
  "text on WireGuard's port": {
    is: "plaintext",
    bridge: always("other-ciphertext"),
    group: (forms) => only(inWireguard(forms)),
    because: () => PASSAGES.wireguard.alsoPasses,
  },
  "pod to pod": { is: "plaintext", bridge: always("pod-to-pod"), group: drop },
  "pod to pod where nodes may": {
    is: "plaintext",
    ...{ bridge: always("pod-to-pod"), group: inVpc, because: () => BLIND.pods },
  },
  "pod to pod like WireGuard": {
    is: "plaintext",
    bridge: always("pod-to-pod"),
    group: (forms, network) => only(inWireguard(forms) && network === "vpc"),
    because: () => BLIND.pods,
  },
  "pod to pod like ESP": {
    is: "plaintext",
    bridge: always("pod-to-pod"),
    group: (forms, network) => only(inIpsec(forms) && network === "vpc"),
    because: () => BLIND.pods,
  },
  "pod to pod, hidden": { is: "plaintext", bridge: always("other-protocol"), group: drop },
  "error that quotes a packet": { is: "plaintext", bridge: always("icmp-error"), group: drop },
  "fragmentation needed, about what is readable": {
    ...{ is: "plaintext", bridge: always("icmp-error"), group: pass, because: () => ERRORS },
  },
  "fragmentation needed, to a pod": {
    ...{ is: "plaintext", bridge: always("icmp-error"), group: inVpc, because: () => ERRORS },
  },
  "fragmentation needed, from pod to pod": {
    ...{ is: "plaintext", bridge: always("pod-to-pod"), group: inVpc, because: () => ERRORS },
  },
  "fragmentation needed": { is: "needed", bridge: pass, group: pass },
  "packet too big": { is: "other", bridge: pass, group: drop, because: () => CLOSED.ipv6 },
  "another protocol": { is: "plaintext", bridge: always("other-protocol"), group: drop },
  "nodes' own traffic": { is: "other", bridge: ownTraffic, group: drop, because: () => CLOSED.ownTraffic },
  "node and pod": { is: "other", bridge: ownTraffic, group: drop, because: closedOrUnknown },
  "named between nodes": { is: "needed", bridge: pass, group: pass },
  "named between node and pod": { is: "needed", bridge: pass, group: inVpc, because: () => CLOSED.otherNetworks },
  "named on kind only": { is: "other", bridge: pass, group: drop, because: () => CLOSED.ownTraffic },
  "named on kind only, node and pod": { is: "other", bridge: pass, group: drop, because: closedOrUnknown },
  "control plane's own traffic": { is: "other", bridge: pass, group: drop, because: () => CLOSED.ownTraffic },
  "control plane and pod": { is: "other", bridge: pass, group: drop, because: closedOrUnknown },
  "pod to the world": { is: "needed", bridge: pass, group: inVpc, because: () => CLOSED.otherNetworks },
  "to the world in IPv6": { is: "other", bridge: pass, group: drop, because: () => CLOSED.ipv6 },
  "pod to the world in IPv6": {
    ...{ is: "other", bridge: pass, group: drop },
    because: (network) => (network === "vpc" ? CLOSED.ipv6 : CLOSED.otherNetworks),
  },
  "echo in IPv6": { is: "other", bridge: pass, group: drop, because: () => CLOSED.ipv6 },
  "from strangers": { is: "other", bridge: pass, group: drop, because: () => CLOSED.strangers },
  "others' own": { is: "needed", bridge: pass, group: pass },
  "later fragment": { is: "plaintext", bridge: always("fragment"), group: drop },
  "later fragment of WireGuard": {
    is: "other",
    bridge: always("fragment"),
    group: (forms) => only(inWireguard(forms)),
    because: () => BLIND.fragments,
  },
  "later fragment where nodes may": {
    is: "other",
    bridge: always("fragment"),
    group: pass,
    because: () => BLIND.fragments,
  },
  "later fragment of ESP": {
    is: "needed",
    bridge: (forms) => (inIpsec(forms) ? "pass" : "fragment"),
    group: (forms) => only(inIpsec(forms)),
  },
} as const satisfies Record<string, Meaning>;

export type MeaningName = keyof typeof MEANINGS;

/** One packet of the corpus, with what it is. */
export interface Case {
  what: string;
  frame: Buffer;
  meaning: MeaningName;
  /** What went the other way before: a security group lets answers pass. */
  opened?: Buffer;
  /** The first fragment, of a later one. */
  first?: Buffer;
}
