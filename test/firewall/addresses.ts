import { within } from "./addressRange.ts";
import type { Owner } from "./securityGroups.ts";

/** Where the corpus plays: two nodes, a control plane, a pod on each node, and the rest of the world. */
export interface Addresses {
  family: "IPv4" | "IPv6";
  controlPlane: string;
  a: string;
  b: string;
  podA: string;
  podB: string;
  world: string;
}

export const V4: Addresses = {
  ...{ family: "IPv4", controlPlane: "172.30.0.2", a: "172.30.0.3", b: "172.30.0.4" },
  ...{ podA: "10.244.1.5", podB: "10.244.2.6", world: "198.51.100.7" },
};
export const V6: Addresses = {
  ...{ family: "IPv6", controlPlane: "fd30::2", a: "fd30::3", b: "fd30::4" },
  ...{ podA: "fd44:0:0:1::5", podB: "fd44:0:0:2::6", world: "2001:db8::7" },
};
export const FAMILIES: readonly Addresses[] = [V4, V6];

export const NODES = ["172.30.0.0/16", "fd30::/64"];
export const PODS = ["10.244.0.0/16", "fd44::/48"];
export const CONTROL_PLANES = [V4.controlPlane, V6.controlPlane];

/** Whether pods have addresses of the VPC (ENI mode, chaining), or of an overlay that the VPC knows nothing of. */
export type Network = "vpc" | "overlay";

/** Whose an address is for security groups. */
export function ownerIn(network: Network): (address: string) => Owner {
  const [isNode, isPod, isControlPlane] = [within(NODES), within(PODS), within(CONTROL_PLANES)];
  return (address) => {
    if (isControlPlane(address)) return "control-plane";
    if (isNode(address)) return "nodes";
    if (isPod(address)) return network === "vpc" ? "nodes" : "nobody";
    return "outside";
  };
}

/** IPv4 ranges that security groups hold nodes to. */
export function nodeRanges(network: Network): string[] {
  return [...NODES, ...(network === "vpc" ? PODS : [])].filter((range) => !range.includes(":"));
}
