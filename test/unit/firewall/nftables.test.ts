import { guardRuleset } from "../../../components/encryption/guard/ruleset.ts";
import { V4 } from "../../firewall/addresses.ts";
import { ping, text } from "../../firewall/cases/packets.ts";
import { CORPUS } from "../../firewall/corpus.ts";
import { judgeByNftables, parseNftables } from "../../firewall/nftables.ts";
import { parseRule } from "../../firewall/nftRule.ts";
import { guarded, isWrong, onBridge } from "../../firewall/renderings.ts";
import { arp } from "../../wire/frames.ts";

const rule = guardRuleset(guarded(["ipsec"]));
const inChain = (...rules: string[]) =>
  parseNftables(
    [
      ...["table bridge t {", "\tset nodes { type ipv4_addr; flags interval; elements = { 172.30.0.0/16 }; }"],
      ...["\tchain forward {", "\t\ttype filter hook forward priority filter; policy accept;"],
      ...[...rules.map((text) => `\t\t${text}`), "\t}", "}"],
    ].join("\n"),
  );

describe("the interpreter of nftables", () => {
  test.each([
    "ip saddr 10.0.0.1 accept",
    "ip ttl 64 accept",
    "ct state established accept",
    "meta l4proto sctp accept",
    "meta protocol ip accept",
    "udp dport != 53 accept",
    "udp length 8 accept",
    "icmp type address-mask-request drop",
    "ip frag-off & 0x3fff != 0 drop",
    "@th,4,4 5 accept",
    "@nh,64,8 5 accept",
    "add @nodes { ip saddr }",
    "counter drop",
    "counter name overlay drop accept",
    "jump other",
    "reject",
    "udp dport",
  ])("does not guess at what it does not know: %s", (text) => {
    expect(() => parseRule(text)).toThrow();
  });

  test.each([
    ["another line", /^\tcomment .*$/m, "include other"],
    ["another hook", /^\t\ttype .*$/m, "\t\ttype filter hook input priority filter; policy accept;"],
    ["another policy", /^\t\ttype .*$/m, "\t\ttype filter hook forward priority filter; policy drop;"],
    ["another kind of set", /^\tset nodes .*$/m, "\tset nodes { type ipv4_addr; flags timeout; }"],
    ["a chain on one line", /^\tcomment .*$/m, "\tchain late { accept }"],
  ])("nor at %s", (_, line, other) => {
    expect(() => parseNftables(rule.replace(line, other))).toThrow();
  });

  test.each([
    ["a set", "ip saddr @others accept"],
    ["a chain", "goto nowhere"],
  ])("nor at %s that is not there", (_, text_) => {
    expect(() => judgeByNftables(inChain(text_), text(V4.a, V4.b))).toThrow();
  });

  test("goes rule by rule, to the first verdict, and never back from where it was sent", () => {
    const frame = text(V4.a, V4.b);
    expect(judgeByNftables(inChain("counter name first drop", "accept"), frame)).toBe("first");
    expect(judgeByNftables(inChain("udp dport 8080 counter name no drop", "counter name yes drop"), frame)).toBe("yes");
    expect(judgeByNftables(inChain("ip saddr @nodes"), frame)).toBe("pass");
    const away = inChain("goto other", "counter name behind drop");
    away.chains.set("other", []);
    expect(judgeByNftables(away, frame)).toBe("pass");
  });

  test("finds no field where its header is not, so an unequal sign does not match either", () => {
    const echo = ping("IPv4", V4.a, V4.b);
    expect(judgeByNftables(inChain("frag frag-off != 0 counter name wrong drop"), echo)).toBe("pass");
    expect(judgeByNftables(inChain("meta l4proto != { tcp, udp } counter name wrong drop"), arp(V4.a, V4.b))).toBe(
      "pass",
    );
    expect(judgeByNftables(inChain("@th,400,16 0 counter name wrong drop"), echo)).toBe("pass");
  });
});

describe("where other clusters' bridges are at the same place", () => {
  const shared = (...members: string[]) => guardRuleset({ ...guarded(["wireguard"]), members });

  test.each([
    ["sender", "02:00:00:00:00:02"],
    ["receiver", "02:00:00:00:00:01"],
  ])("the rules do the same, by the %s alone", (_, member) => {
    const judge = onBridge(["wireguard"], shared(member));
    expect(CORPUS.map(judge).filter(isWrong)).toEqual([]);
  });

  test("nothing of pods is dropped before a node was heard", () => {
    const judge = onBridge(["wireguard"], shared());
    const pods = CORPUS.filter(({ meaning }) => meaning === "pod to pod");
    expect(pods.map(judge).filter(({ found }) => found !== "pass")).toEqual([]);
    judge({ what: "ARP", frame: arp(V4.a, V4.b), meaning: "others' own" });
    expect(pods.map(judge).filter(isWrong)).toEqual([]);
  });
});
