import { networkOf, overlap, parseCidr } from "../components/cidr.ts";
import { UserError } from "../components/userError.ts";

/** What a rehearsal cluster is asked to be. */
export interface ClusterSpec {
  name: string;
  /** Worker nodes; a control plane comes on top. */
  workers: number;
  podCidr: string;
  serviceCidr: string;
}

/** One simulated node. */
export interface PlannedNode {
  name: string;
  ip: string;
  podCidr: string;
  controlPlane: boolean;
}

/** Where nodes get their addresses, as Docker gives kind's; the first that overlaps with no range of the cluster. */
const NODE_NETWORKS = ["172.30.0.0/16", "192.168.0.0/16", "10.213.0.0/16"];
/** A node's share of the pods' range is a /24, as kind's; down to a /26 where that makes room for 1,024 nodes. */
const USUAL_PREFIX = 24;
const SMALLEST_PREFIX = 26;
const ROOM_BITS = 10;

/**
 * The nodes of a cluster, named as kind names them. A node's addresses follow from its place alone, so a scaled cluster
 * keeps those that stay.
 */
export function planNodes(spec: ClusterSpec): PlannedNode[] {
  const pods = addressesOf(spec.podCidr);
  const nodes = addressesOf(nodeNetwork(spec));
  const count = spec.workers + 1;
  const podPrefix = sharePrefix(pods.prefix);
  const room = Math.floor(2 ** (podPrefix - pods.prefix));
  if (count > room)
    throw new UserError([
      {
        key: "wirecloak:cluster.podCidr",
        value: spec.podCidr,
        message: `has room for ${room} nodes with a /${podPrefix} each, and ${count} are asked for.`,
        fix: "take a wider podCidr, which replaces the cluster, or fewer workers",
      },
    ]);
  return Array.from({ length: count }, (_, index) => ({
    name: nodeName(spec.name, index),
    // .0 is the network, .1 the place of a gateway.
    ip: dotted(nodes.first + 2 + index),
    podCidr: `${dotted(pods.first + index * 2 ** (32 - podPrefix))}/${podPrefix}`,
    controlPlane: index === 0,
  }));
}

/** The nodes' network and its control planes, by address. */
export function nodeAddresses(spec: ClusterSpec): { nodes: string[]; controlPlanes: string[] } {
  const controlPlanes = planNodes(spec).filter(({ controlPlane }) => controlPlane);
  return { nodes: [nodeNetwork(spec)], controlPlanes: controlPlanes.map(({ ip }) => ip) };
}

/** Prefix length of each node's pod range: follows from the cluster's range alone, which never changes while it lives. */
function sharePrefix(clusterPrefix: number): number {
  return Math.min(Math.max(clusterPrefix + ROOM_BITS, USUAL_PREFIX), SMALLEST_PREFIX);
}

function nodeName(cluster: string, index: number): string {
  if (index === 0) return `${cluster}-control-plane`;
  return index === 1 ? `${cluster}-worker` : `${cluster}-worker${index}`;
}

function nodeNetwork({ podCidr, serviceCidr }: ClusterSpec): string {
  const taken = [podCidr, serviceCidr].map((range) => parseCidr(range));
  const free = NODE_NETWORKS.find((network) => {
    const candidate = parseCidr(network);
    return candidate && !taken.some((range) => range && overlap(range, candidate));
  });
  if (free) return free;
  throw new UserError([
    {
      key: "wirecloak:cluster.podCidr",
      value: podCidr,
      message: `It and serviceCidr ${serviceCidr} leave none of the nodes' networks free: ${NODE_NETWORKS.join(", ")}.`,
    },
  ]);
}

/** First address, as a number, and prefix length of an IPv4 range. */
function addressesOf(range: string): { first: number; prefix: number } {
  const cidr = parseCidr(range);
  if (cidr?.family !== "ipv4")
    throw new UserError([
      { key: "cluster", value: range, message: "No IPv4 range.", allowed: "such as 10.244.0.0/16" },
    ]);
  const [address = ""] = networkOf(cidr).split("/");
  return { first: address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0), prefix: cidr.prefix };
}

function dotted(address: number): string {
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((unit) => Math.floor(address / unit) % 256).join(".");
}
