import type { SecurityGroupEgressRule } from "../../components/encryption/guard/securityGroup.ts";
import { within } from "./addressRange.ts";
import { decode, ETHER_TYPES, type IpPacket } from "./packet.ts";

/** The rules of a cluster's two groups. */
export interface SecurityGroups {
  ingress: readonly FoundRule[];
  egress: readonly FoundRule[];
  /** What the control plane lets in; it may send whatever it likes. */
  controlPlane: readonly FoundRule[];
}

/** Ours let in by groups only; those that others add may name ranges there too. */
export type FoundRule = SecurityGroupEgressRule;

/** Whose network interface has an address; `nobody`: none in the VPC, and it is no address of the world either. */
export type Owner = "nodes" | "control-plane" | "outside" | "nobody";

export interface Sent {
  frame: Buffer;
  /** What went the other way before. */
  opened?: Buffer;
  /** The first fragment, of a later one. */
  first?: Buffer;
}

const NUMBERS = { icmp: 1, tcp: 6, udp: 17, "50": 50 } as const;
/** Neighbour discovery: what ARP is for IPv4. */
const NEIGHBOURS = [133, 134, 135, 136, 137];

/**
 * Whether a packet arrives, as AWS evaluates security groups: allowed is what one rule of the sender's group lets out and one of the receiver's group lets in, or what
 * answers a packet that has passed the same interface. ARP and neighbour discovery are the VPC's own, which carries nothing but IP between addresses of interfaces.
 * The group knows neither contents nor, within it, whose an address is.
 */
export function arrives(groups: SecurityGroups, ownerOf: (address: string) => Owner, sent: Sent): boolean {
  const { etherType, ip } = decode(sent.frame);
  if (ip === undefined) return etherType === ETHER_TYPES.arp;
  if (ip.protocol === 58 && NEIGHBOURS.includes(ip.transport?.[0] ?? 0)) return true;
  // How AWS judges later fragments is not documented; they share the fate of the first one here.
  if (ip.transport === undefined && ip.protocol !== NUMBERS["50"])
    return sent.first !== undefined && arrives(groups, ownerOf, { frame: sent.first });
  const opened = sent.opened && decode(sent.opened).ip;
  return leaves(ip) && entersAt(ip);

  function leaves(packet: IpPacket): boolean {
    const [source, destination] = [ownerOf(packet.source), ownerOf(packet.destination)];
    if (source === "nobody" || destination === "nobody") return false;
    return (
      source !== "nodes" ||
      groups.egress.some((rule) => allows(rule, packet, destination, packet.destination)) ||
      answers(packet, packet.source)
    );
  }

  function entersAt(packet: IpPacket): boolean {
    const [source, destination] = [ownerOf(packet.source), ownerOf(packet.destination)];
    if (destination === "outside") return true;
    const rules = destination === "nodes" ? groups.ingress : groups.controlPlane;
    return rules.some((rule) => allows(rule, packet, source, packet.source)) || answers(packet, packet.destination);
  }

  /** Whether it is an answer to what has passed the interface of this address before. */
  function answers(packet: IpPacket, at: string): boolean {
    if (opened === undefined || packet === opened || !isReverse(packet, opened)) return false;
    return leaves(opened) && (opened.source === at || entersAt(opened));
  }
}

/** @param other whose the other end's address is */
function allows(rule: FoundRule, packet: IpPacket, other: Owner, address: string): boolean {
  if (typeof rule.peer === "string" ? rule.peer !== other : !isIn(rule.peer.cidr, address)) return false;
  if (rule.protocol === "-1") return true;
  if (packet.protocol !== NUMBERS[rule.protocol]) return false;
  const { transport } = packet;
  if (rule.protocol === "50") return true;
  if (transport === undefined) return false;
  if (rule.protocol === "icmp") return transport[0] === rule.fromPort && transport[1] === rule.toPort;
  const port = transport.readUInt16BE(2);
  return port >= (rule.fromPort ?? 0) && port <= (rule.toPort ?? 0);
}

/** By addresses and ports; of protocols that have none by addresses alone, as AWS does. */
function isReverse(packet: IpPacket, opened: IpPacket): boolean {
  if (packet.protocol !== opened.protocol) return false;
  if (packet.source !== opened.destination || packet.destination !== opened.source) return false;
  const [one, other] = [packet.transport, opened.transport];
  if (packet.protocol === NUMBERS.icmp) return one?.[0] === 0 && other?.[0] === 8;
  if (packet.protocol !== NUMBERS.tcp && packet.protocol !== NUMBERS.udp) return true;
  return one?.readUInt16BE(0) === other?.readUInt16BE(2) && one?.readUInt16BE(2) === other?.readUInt16BE(0);
}

const RANGES = new Map<string, (address: string) => boolean>();

function isIn(cidr: string, address: string): boolean {
  const known = RANGES.get(cidr) ?? within([cidr]);
  RANGES.set(cidr, known);
  return known(address);
}
