import { arp, esp, ethernet, geneve, ip, tcp, vxlan } from "../../wire/frames.ts";
import { type Addresses, V4, V6 } from "../addresses.ts";
import type { Case } from "../meanings.ts";
import { ciphertext, packetOf, ping, query, text, wireguard } from "./packets.ts";

/** What carries a frame from node to node. */
const ENCAPSULATIONS: [string, (src: string, dst: string, frame: Buffer) => Buffer][] = [
  ["VXLAN", vxlan],
  ["VXLAN on IANA's port", (src, dst, frame) => vxlan(src, dst, frame, 4789)],
  ["VXLAN from its own port", (src, dst, frame) => vxlan(src, dst, frame, 8472, 8472)],
  ["Geneve", geneve],
  ["Geneve with options", (src, dst, frame) => geneve(src, dst, frame, true)],
];

/** What pods send, in the overlay of either tunnel, between all kinds of nodes; and ESP in it. */
export function overlay(addresses: Addresses): Case[] {
  const { family, controlPlane, a, b, podA, podB } = addresses;
  const other = family === "IPv4" ? V6 : V4;
  const inner: [string, Buffer][] = [
    ["TCP", text(podA, podB)],
    ["a query", query(podA, podB)],
    ["an echo", ping(family, podA, podB)],
    ["ARP", arp(V4.podA, V4.podB)],
    ["TCP of the other family", text(other.podA, other.podB)],
    ["a node's TCP to a pod", text(a, podB)],
    ["WireGuard of pods", wireguard(podA, podB)],
  ];
  const ways: [string, string, string][] = [
    ["", a, b],
    [", back", b, a],
    [" from the control plane", controlPlane, b],
    [" to the control plane", a, controlPlane],
  ];
  const readable = ENCAPSULATIONS.flatMap(([name, carry]) =>
    inner.flatMap(([what, frame]) =>
      ways.map(([way, src, dst]): Case => {
        // A security group must not take what goes back for an answer.
        const opened = carry(dst, src, frame);
        return { what: `${what} in ${name}${way}`, frame: carry(src, dst, frame), meaning: "readable overlay", opened };
      }),
    ),
  );
  const encrypted = ENCAPSULATIONS.flatMap(([name, carry]) =>
    [ciphertext(a, b), ciphertext(other.a, other.b)].map(
      (frame, at): Case => ({
        what: `ESP${at > 0 ? " of the other family" : ""} in ${name}`,
        frame: carry(a, b, frame),
        meaning: name === "Geneve with options" ? "ESP in an overlay, not as Cilium sends it" : "ESP in an overlay",
      }),
    ),
  );
  return [...readable, ...encrypted];
}

const behindOptions = ethernet(ip(V4.a, V4.b, "esp", esp(3, 1), { options: Buffer.alloc(4, 1) }));
const whole = packetOf(vxlan(V4.a, V4.b, ethernet(ip(V4.podA, V4.podB, "tcp", tcp(1, 2, "in clear")))));

/** The start of a readable VXLAN packet that was cut in two. */
export const FIRST_OF_VXLAN = ethernet(ip(V4.a, V4.b, "udp", whole.subarray(20), { id: 7, more: true }));

export const ODD_OVERLAY: Case[] = [
  {
    what: "ESP behind IP options in VXLAN",
    frame: vxlan(V4.a, V4.b, behindOptions),
    meaning: "ESP in an overlay, not as Cilium sends it",
  },
  { what: "first fragment of VXLAN", frame: FIRST_OF_VXLAN, meaning: "readable overlay" },
];
