import type { SecurityGroupRule } from "../../../components/encryption/guard/securityGroup.ts";
import { ownerIn, V4, V6 } from "../../firewall/addresses.ts";
import { ciphertext, ping, query, text } from "../../firewall/cases/packets.ts";
import { arrives, type SecurityGroups } from "../../firewall/securityGroups.ts";
import { arp, ethernet, ip, tcp } from "../../wire/frames.ts";

const { a, b, podA, podB, controlPlane, world } = V4;
const rule = (protocol: SecurityGroupRule["protocol"], port?: number): SecurityGroupRule => ({
  ...{ name: "a rule", form: null, protocol, peer: "nodes", description: "" },
  ...(port !== undefined && { fromPort: port, toPort: port }),
});
/** The same in both directions between nodes. */
const groups = (...rules: SecurityGroupRule[]): SecurityGroups => ({ ingress: rules, egress: rules, controlPlane: [] });
const passes = (rules: SecurityGroups, frame: Buffer, opened?: Buffer) =>
  arrives(rules, ownerIn("vpc"), { frame, ...(opened && { opened }) });

describe("security groups, as AWS evaluates them,", () => {
  test("let pass what both sides have a rule for", () => {
    const kubelet = rule("tcp", 10_250);
    const ask = text(a, b, 40_000, 10_250);
    expect(passes(groups(kubelet), ask)).toBe(true);
    expect(passes({ ...groups(kubelet), ingress: [] }, ask)).toBe(false);
    expect(passes({ ...groups(kubelet), egress: [] }, ask)).toBe(false);
    expect(passes(groups(kubelet), text(a, b, 40_000, 10_251))).toBe(false);
    expect(passes(groups(kubelet), query(a, b, 40_000, 10_250))).toBe(false);
    expect(passes(groups(kubelet), text(controlPlane, b, 40_000, 10_250))).toBe(false);
    expect(passes(groups(kubelet), text(world, b, 40_000, 10_250))).toBe(false);
  });

  test("let pass the answer to what has passed, and to nothing else", () => {
    const [ask, answer] = [text(a, b, 40_000, 10_250), text(b, a, 10_250, 40_000)];
    expect(passes(groups(rule("tcp", 10_250)), answer, ask)).toBe(true);
    expect(passes(groups(rule("tcp", 10_250)), answer)).toBe(false);
    expect(passes(groups(rule("tcp", 10_250)), answer, text(a, b, 40_001, 10_250))).toBe(false);
    expect(passes(groups(rule("tcp", 443)), answer, ask)).toBe(false);
  });

  test("take for an answer what comes back to a packet that only left", () => {
    const open = { name: "all", form: null, protocol: "-1", peer: "nodes", description: "" } as const;
    const outwards = { ingress: [], egress: [open], controlPlane: [] };
    expect(passes(outwards, text(a, b))).toBe(false);
    expect(passes(outwards, text(b, a, 8080, 40_000), text(a, b))).toBe(true);
    expect(passes(outwards, text(b, a, 8080, 40_001), text(a, b))).toBe(false);
    // Of protocols without ports any packet is one.
    expect(
      passes(outwards, ethernet(ip(b, a, "gre", Buffer.from("one"))), ethernet(ip(a, b, "gre", Buffer.from("two")))),
    ).toBe(true);
  });

  test("know ESP by its number, and ICMP by type and code", () => {
    expect(passes(groups(rule("50")), ciphertext(a, b))).toBe(true);
    expect(passes(groups(rule("tcp", 10_250)), ciphertext(a, b))).toBe(false);
    const echo = { ...rule("icmp"), fromPort: 8, toPort: 0 };
    expect(passes(groups(echo), ping("IPv4", a, b))).toBe(true);
    expect(passes(groups({ ...echo, toPort: 4 }), ping("IPv4", a, b))).toBe(false);
    expect(passes(groups(echo), ping("IPv4", b, a, true), ping("IPv4", a, b))).toBe(true);
    expect(passes(groups(echo), ping("IPv4", b, a, true))).toBe(false);
    expect(passes(groups(echo), ping("IPv6", V6.a, V6.b))).toBe(false);
  });

  test("know pods by their nodes' group where their addresses are of the VPC, and carry no others", () => {
    const health = groups(rule("tcp", 4240));
    const frame = text(podA, podB, 40_000, 4240);
    expect(arrives(health, ownerIn("vpc"), { frame })).toBe(true);
    expect(arrives(health, ownerIn("overlay"), { frame })).toBe(false);
  });

  test("have no part in ARP, and a VPC carries nothing that is not IP", () => {
    expect(passes(groups(), arp(a, b))).toBe(true);
    expect(passes(groups(), ethernet(ip(a, b, "tcp", tcp(1, 2, "x")), 0x88b5))).toBe(false);
  });

  test("judge a later fragment by the first, and one alone not at all", () => {
    const later = ethernet(ip(a, b, "tcp", Buffer.from("the rest"), { id: 7, offset: 1480 }));
    const kubelet = groups(rule("tcp", 10_250));
    expect(arrives(kubelet, ownerIn("vpc"), { frame: later, first: text(a, b, 40_000, 10_250) })).toBe(true);
    expect(arrives(kubelet, ownerIn("vpc"), { frame: later, first: text(a, b) })).toBe(false);
    expect(arrives(kubelet, ownerIn("vpc"), { frame: later })).toBe(false);
  });
});
