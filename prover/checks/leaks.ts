import { type Check, contradicts } from "../finding.ts";
import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { PlaintextSeen } from "../wire/observation.ts";
import { encryptingNodes, suchAs } from "./pairs.ts";
import { liveAgents } from "./rollout.ts";

/** Readable packets that should have been encrypted. */
export interface Leak extends PlaintextSeen {
  /** Name of the place where they were captured. */
  vantage: string;
}

/** Every kind of packet that crossed between nodes in clear and must not have, at every place where it was seen. */
export function leaks(intent: Intent, seen: Observation): Leak[] {
  if (!seen.wire || intent.encryption === "none") return [];
  const nodeIps = new Set([
    ...seen.nodes.flatMap((node) => node.addresses),
    ...seen.wire.probes.flatMap((probe) => probe.nodeIps),
  ]);
  const encrypting = encryptingNodes(intent, seen);
  const mustNot = (node: string | null): boolean => node === null || encrypting.has(node);
  const isLeak = (packet: PlaintextSeen): boolean =>
    packet.form === "node"
      ? intent.nodeEncryption && packet.marker && mustNot(packet.from) && mustNot(packet.to)
      : mustBeHidden(packet, encryptsOverlay(intent), nodeIps);
  return seen.wire.vantages.flatMap((vantage) =>
    vantage.plaintext
      .filter((packet) => packet.packets > 0 && isLeak(packet))
      .map((packet) => ({ ...packet, vantage: vantage.name })),
  );
}

/** Whether a mode that encrypts hides a readable packet of pods. `overlay`: it hides all of the overlay, not only what pods send in it. */
export function mustBeHidden(
  { form, marker, from, to, src, dst }: Omit<PlaintextSeen, "packets">,
  overlay: boolean,
  nodeIps: ReadonlySet<string>,
): boolean {
  if (marker) return true;
  if (from === null || to === null || from === to) return false;
  // What a pod exchanges with another node's own address is node traffic, and is encrypted with it; inside an overlay, with that.
  return (form !== "bare" && overlay) || !(nodeIps.has(src) || nodeIps.has(dst));
}

/** Up to 1.17 Cilium's IPsec encrypts what pods send, and then tunnels it; everything else encrypts the tunnel. */
export function encryptsOverlay({ encryption, cilium }: Pick<Intent, "encryption" | "cilium">): boolean {
  const [major = 0, minor = 0] = cilium.version.split(".").map(Number);
  return encryption === "wireguard" || major > 1 || minor >= 18;
}

const FORMS: Record<PlaintextSeen["form"], string> = {
  bare: "between pods as they are",
  vxlan: "between pods inside VXLAN",
  geneve: "between pods inside Geneve",
  node: "between node addresses",
};

export const wireReadable: Check = {
  name: "wire-readable",
  look: (intent, seen) => {
    const pods = new Map(liveAgents(seen).map(({ node, pod }) => [node, pod]));
    // What the test of strict mode sends has a check of its own.
    const unexpected = leaks(intent, seen).filter(({ dst }) => dst !== seen.wire?.strict?.address);
    const streams = Map.groupBy(unexpected, ({ vantage, from, form, marker }) =>
      [vantage, from, form, marker].join("\n"),
    );
    return [...streams.values()].flatMap((group) => {
      const [leak] = group;
      if (!leak) return [];
      const pod = leak.from === null ? undefined : pods.get(leak.from);
      const packets = group.reduce((sum, each) => sum + each.packets, 0);
      const to = [...new Set(group.map((each) => each.to ?? each.dst))];
      return [
        contradicts({
          node: leak.from,
          message: `sent ${packets} readable packets to ${suchAs(to)}, ${FORMS[leak.form]}${leak.marker ? ", with this run's marker in them" : ""}: ${leak.example}`,
          evidence: `capture at ${leak.vantage}`,
          fix: pod
            ? `keep what is secret off this path; restart its agent: kubectl -n ${intent.cilium.namespace} delete pod ${pod}; then prove again`
            : "keep what is secret off this path, and find who has that address: kubectl get pods -A -o wide",
        }),
      ];
    });
  },
};
