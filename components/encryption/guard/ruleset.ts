import { parseCidr } from "../../cidr.ts";
import type { Form } from "./forms.ts";
import { inForce, PASSAGES, type Passage, passagesOf } from "./passage.ts";

/** What one cluster's guard goes by. */
export interface Guarded {
  /** Identity: the table's name. */
  table: string;
  /** Which of the clusters that bore this name it was made for, and by which resource of Pulumi's. */
  generation: string;
  owner: string;
  /** The ciphertext that may pass. Of two modes while nodes change; never empty. */
  forms: readonly Form[];
  /** The network that the nodes have their addresses in. */
  nodes: readonly string[];
  pods: readonly string[];
  /** Addresses of nodes that do not encrypt what they send themselves, though others do. Empty: not known. */
  optedOut: readonly string[];
  /**
   * Hardware addresses of the nodes, where other clusters' bridges are at the same place: pods' addresses may be theirs too. More are
   * learned from what nodes send, ARP first of all, so that a node that joins is known before its pods send. Absent: nobody else is there.
   */
  members?: readonly string[] | undefined;
}

export type Count = { packets: number; bytes: number };

/** What is dropped, by the name of its counter, in words for people. */
export const DROPS = {
  overlay: "VXLAN or Geneve between nodes with readable contents",
  "pod-to-pod": "packets from pod to pod as they are",
  "icmp-error": "ICMP errors, which quote what was decrypted",
  fragment: "later fragments, of which nobody can tell what they belong to",
  "other-ciphertext": "ciphertext of a mode that is not in force, or what only has its port",
  "other-protocol": "other protocols between nodes, such as IP in IP or VLAN in VLAN",
  "node-traffic": "readable packets of nodes themselves where the mode encrypts them",
} as const;

export type Drop = keyof typeof DROPS;

/** Those that count what could be read and should have been encrypted. Of the others nobody can tell, or they are in order. */
export const PLAINTEXT: readonly Drop[] = ["overlay", "pod-to-pod", "node-traffic"];

const WIREGUARD_PORT = ports(PASSAGES.wireguard.ports);
const OVERLAY_PORTS = ports(PASSAGES["ipsec-in-overlay"].ports);
/** What is looked at inside, which only this rendering can: the first four bytes of WireGuard's messages: type 1 to 4 and three zeros. */
const WIREGUARD_MESSAGES = "{ 0x01000000, 0x02000000, 0x03000000, 0x04000000 }";

/** What the name of the chain begins with that holds the table's digest. */
export const SEAL = "sealed_";

interface Family {
  /** nft's word for the header, and for the type of an address. */
  ip: "ip" | "ip6";
  type: "ipv4_addr" | "ipv6_addr";
  suffix: "" | "6";
}
const IPV4: Family = { ip: "ip", type: "ipv4_addr", suffix: "" };
const IPV6: Family = { ip: "ip6", type: "ipv6_addr", suffix: "6" };

/**
 * The guard as one nftables document: `nft -f -` sets all of it at once in place of what was there, and touches no other table.
 * Packets are told by addresses, since `meta ibrname` is missing in some kernels.
 * @param counted what the counters begin with, so that a change of rules forgets nothing
 * @param seal digest of what nft lists once this is set
 */
export function guardRuleset(guarded: Guarded, counted: Partial<Record<Drop, Count>> = {}, seal?: string): string {
  const { table, generation, owner, forms, members } = guarded;
  const families = [IPV4, IPV6].filter(({ type }) => ofType(guarded.nodes, type).length > 0);
  return [
    ...removal(table),
    `table bridge ${table} {`,
    `\tcomment "${stamp(generation, owner, forms)}"`,
    ...Object.keys(DROPS).map((name) => counter(name as Drop, counted)),
    ...families.flatMap((family) => sets(family, guarded)),
    ...(members ? [memberSet(members)] : []),
    "\tchain forward {",
    "\t\ttype filter hook forward priority filter; policy accept;",
    ...(members ? families.flatMap(learning).map((rule) => `\t\t${rule}`) : []),
    ...families.flatMap((family) => forward(family)),
    ...(members ? ["ether saddr @members goto our_wire", "ether daddr @members goto our_wire"] : ourWire(families)).map(
      (rule) => `\t\t${rule}`,
    ),
    "\t}",
    ...(members ? chain("our_wire", ourWire(families)) : []),
    ...families.flatMap((family) => [
      ...chain(`between_nodes${family.suffix}`, betweenNodes(family, guarded)),
      ...chain(`node_and_pod${family.suffix}`, nodeAndPod(family, guarded)),
    ]),
    // A chain's name is the one thing that can be said of a table without a change of its rules.
    ...(seal === undefined ? [] : chain(`${SEAL}${seal}`, [])),
    "}",
    "",
  ].join("\n");
}

/** Takes the table away, whether or not it is there. */
export function guardRemoval(table: string): string {
  return [...removal(table), ""].join("\n");
}

/** What the table says of itself. nft takes 128 characters. */
function stamp(generation: string, owner: string, forms: readonly Form[]): string {
  return `wirecloak ${generation} ${owner} ${forms.join(",")}`;
}

/** `delete` alone fails where there is none. */
function removal(table: string): string[] {
  return [`table bridge ${table}`, `delete table bridge ${table}`];
}

function counter(name: Drop, counted: Partial<Record<Drop, Count>>): string {
  const { packets, bytes } = counted[name] ?? { packets: 0, bytes: 0 };
  return `\tcounter ${name} { packets ${packets} bytes ${bytes} }`;
}

function sets({ type, suffix }: Family, guarded: Guarded): string[] {
  const set = (name: string, ranges: readonly string[]) => {
    const elements = ofType(ranges, type);
    const content = elements.length > 0 ? ` elements = { ${elements.join(", ")} };` : "";
    return `\tset ${name}${suffix} { type ${type}; flags interval;${content} }`;
  };
  return [set("nodes", guarded.nodes), set("pods", guarded.pods), set("opted_out", guarded.optedOut)];
}

function ofType(ranges: readonly string[], type: Family["type"]): string[] {
  const family = type === "ipv4_addr" ? "ipv4" : "ipv6";
  return ranges.filter((range) => parseCidr(range.includes("/") ? range : `${range}/0`)?.family === family);
}

function memberSet(members: readonly string[]): string {
  const elements = members.length > 0 ? ` elements = { ${members.join(", ")} };` : "";
  return `\tset members { type ether_addr; size 65535; flags dynamic;${elements} }`;
}

/** Who sends from a node's address is a node. Nodes have IPv4, and there ARP comes before anything that they or their pods send each other. */
function learning({ ip, suffix }: Family): string[] {
  const learn = "add @members { ether saddr }";
  return [...(ip === "ip" ? [`arp saddr ip @nodes ${learn}`] : []), `${ip} saddr @nodes${suffix} ${learn}`];
}

/** Frames between nodes, whoever's addresses are in them. */
function ourWire(families: readonly Family[]): string[] {
  return [
    ...families.map(({ ip, suffix }) => `${ip} saddr @pods${suffix} ${ip} daddr @pods${suffix} ${drop("pod-to-pod")}`),
    // One VLAN tag hides nothing from the rules; of what is in two nobody knows.
    `meta protocol != { ip, ip6, arp } ${drop("other-protocol")}`,
  ];
}

/** What is neither a node's nor a pod's at both ends passes: images, the host, other networks of the machine. */
function forward({ ip, suffix }: Family): string[] {
  const from = (src: string, dst: string) => `${ip} saddr @${src}${suffix} ${ip} daddr @${dst}${suffix}`;
  return [
    `${from("nodes", "nodes")} goto between_nodes${suffix}`,
    `${from("nodes", "pods")} goto node_and_pod${suffix}`,
    `${from("pods", "nodes")} goto node_and_pod${suffix}`,
  ].map((rule) => `\t\t${rule}`);
}

function betweenNodes(family: Family, guarded: Guarded): string[] {
  const may = (passage: Passage) => inForce(passage, guarded.forms);
  const esp = may(PASSAGES.ipsec);
  const [laterOfEsp, later] =
    family.ip === "ip"
      ? ["ip protocol esp ip frag-off & 0x1fff != 0", "ip frag-off & 0x1fff != 0"]
      : ["frag nexthdr esp frag frag-off != 0", "frag frag-off != 0"];
  return [
    ...(esp ? [`${laterOfEsp} accept`] : []),
    `${later} ${drop("fragment")}`,
    `meta l4proto esp ${esp ? "accept" : drop("other-ciphertext")}`,
    ...(may(PASSAGES.wireguard) ? [`udp dport ${WIREGUARD_PORT} @th,64,32 ${WIREGUARD_MESSAGES} accept`] : []),
    `udp dport ${WIREGUARD_PORT} ${drop("other-ciphertext")}`,
    ...(may(PASSAGES["ipsec-in-overlay"])
      ? espInOverlay.map((inside) => `udp dport ${OVERLAY_PORTS} ${inside} accept`)
      : []),
    `udp dport ${OVERLAY_PORTS} ${drop("overlay")}`,
    ...icmpErrors(family),
    `meta l4proto != { tcp, udp, ${icmp(family)} } ${drop("other-protocol")}`,
    ...nodeTraffic(family, guarded, [
      `udp dport ${controlPorts("udp")} accept`,
      `udp sport ${controlPorts("udp")} accept`,
      // Neighbour discovery has no other protocol.
      family.ip === "ip" ? "icmp type { echo-reply, echo-request } accept" : "meta l4proto ipv6-icmp accept",
    ]),
  ];
}

/** Without encryption of nodes' own traffic, API server to webhook and kubelet to pod are plain by design. */
function nodeAndPod(family: Family, guarded: Guarded): string[] {
  return [dropErrors(family), ...nodeTraffic(family, guarded)];
}

/**
 * ESP inside VXLAN, or inside Geneve without options: 8 bytes of UDP, 8 of the overlay, 14 of Ethernet, then IP. The overlay's first byte is VXLAN's flags (08)
 * or Geneve's version and number of options (00).
 */
const espInOverlay = [
  "@th,64,8 { 0x00, 0x08 } @th,224,16 0x0800 @th,240,8 0x45 @th,312,8 50",
  "@th,64,8 { 0x00, 0x08 } @th,224,16 0x86dd @th,288,8 50",
];

/**
 * An error quotes the packet it is about, which may be one that the sender has just decrypted. The only ones that pass are those that
 * path MTU discovery between nodes needs, and they quote ciphertext or TCP of nodes: 8 bytes of ICMP, then the quoted header.
 */
function icmpErrors(family: Family): string[] {
  if (family.ip === "ip6") {
    const tooBig = "icmpv6 type packet-too-big";
    return [
      `${tooBig} @th,112,8 { 6, 50 } accept`,
      `${tooBig} @th,112,8 17 @th,400,16 ${WIREGUARD_PORT} accept`,
      dropErrors(family),
    ];
  }
  const tooBig = "icmp type destination-unreachable icmp code frag-needed @th,64,8 0x45";
  return [
    `${tooBig} @th,136,8 { 6, 50 } accept`,
    `${tooBig} @th,136,8 17 @th,240,16 ${WIREGUARD_PORT} accept`,
    dropErrors(family),
  ];
}

function dropErrors({ ip }: Family): string {
  const types =
    ip === "ip"
      ? "icmp type { destination-unreachable, source-quench, redirect, time-exceeded, parameter-problem }"
      : "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }";
  return `${types} ${drop("icmp-error")}`;
}

/** Only where each of the modes in force encrypts it, and where it is known which nodes do not. */
function nodeTraffic(family: Family, { forms, optedOut }: Guarded, also: readonly string[] = []): string[] {
  const { ip, type, suffix } = family;
  if (ofType(optedOut, type).length === 0 || inForce(PASSAGES.ownTraffic, forms)) return [];
  return [
    `${ip} saddr @opted_out${suffix} accept`,
    `${ip} daddr @opted_out${suffix} accept`,
    `tcp dport ${controlPorts("tcp")} accept`,
    `tcp sport ${controlPorts("tcp")} accept`,
    ...also,
    drop("node-traffic"),
  ];
}

function ports(numbers: readonly number[]): string {
  const [only] = numbers;
  return numbers.length === 1 ? String(only) : `{ ${numbers.join(", ")} }`;
}

/** Of what passes readable in every mode. */
function controlPorts(protocol: "tcp" | "udp"): string {
  const control = passagesOf([]).filter(([, passage]) => passage.bridge && passage.protocol === protocol);
  return `{ ${control.flatMap(([, passage]) => passage.ports).join(", ")} }`;
}

function icmp({ ip }: Family): string {
  return ip === "ip" ? "icmp" : "ipv6-icmp";
}

function drop(name: Drop): string {
  return `counter name ${name} drop`;
}

function chain(name: string, rules: string[]): string[] {
  return [`\tchain ${name} {`, ...rules.map((rule) => `\t\t${rule}`), "\t}"];
}
