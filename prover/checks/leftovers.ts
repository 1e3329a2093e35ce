import { type Check, type Found, note } from "../finding.ts";
import type { Intent } from "../intent.ts";

/**
 * What an earlier mode left on a node. A note, never a verdict: what crosses between the nodes is captured, and a device or key that carries nothing
 * changes nothing of that; but it is a sign of an agent that did not clean up, and keys that nobody needs should not stay.
 */
const leftovers: Check = {
  name: "leftovers",
  look: (intent, seen) =>
    (seen.leftovers ?? []).flatMap(({ node, pod, devices, xfrm }): Found[] => {
      const stale = devices.filter((device) => staleDevices(intent).includes(device));
      const found = (message: string): Found => note({ node, message, evidence: `ip link and ip xfrm in pod ${pod}` });
      return [
        ...stale.map((device) => found(`still has the device ${device}, of another mode; a reboot takes it away`)),
        // Before an update is taken back or ends, both are there; Cilium removes its own when an agent starts without IPsec.
        ...(intent.encryption !== "ipsec" && xfrm !== null && xfrm.states + xfrm.policies > 0
          ? [found(`still has ${xfrm.states} XFRM states and ${xfrm.policies} policies, Cilium's or others'`)]
          : []),
      ];
    }),
};

function staleDevices({ encryption, overlay }: Intent): string[] {
  return [
    ...(encryption === "wireguard" ? [] : ["cilium_wg0"]),
    ...(overlay === "vxlan" ? [] : ["cilium_vxlan"]),
    ...(overlay === "geneve" ? [] : ["cilium_geneve"]),
  ];
}

export const leftoverChecks: readonly Check[] = [leftovers];
