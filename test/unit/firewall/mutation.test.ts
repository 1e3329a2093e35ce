import { guardRuleset } from "../../../components/encryption/guard/ruleset.ts";
import { CORPUS } from "../../firewall/corpus.ts";
import { type Row, rows } from "../../firewall/modes.ts";
import { guarded, inCloud, isWrong, type Judge, onBridge, securityGroups } from "../../firewall/renderings.ts";

/** Whether nothing in the corpus tells these rules from the right ones. */
const unnoticed = (judge: Judge) => !CORPUS.some((packet) => isWrong(judge(packet)));

const states = rows();
const bridges = distinct(states, ({ forms }) => forms.join(", "));
const clouds = distinct(
  states.filter(({ forms }) => !forms.includes("ipsec-in-overlay")),
  ({ forms, network }) => `${forms.join(", ")}; pods in ${network}`,
);

describe("without any single rule some packet is judged wrongly", () => {
  test.each(bridges)("nftables: %s", (_, { forms }) => {
    const lines = guardRuleset(guarded(forms)).split("\n");
    const rules = lines.flatMap((line, at) => (/^\t\t(?!type )/.test(line) ? [at] : []));
    const idle = rules.filter((at) => unnoticed(onBridge(forms, lines.toSpliced(at, 1).join("\n"))));
    expect(idle.map((at) => lines[at])).toEqual([]);
    expect(rules.length).toBeGreaterThan(20);
  });

  test.each(clouds)("security groups: %s", (_, { forms, network }) => {
    const groups = securityGroups(forms, network);
    const idle = (["ingress", "egress", "controlPlane"] as const).flatMap((side) =>
      groups[side].filter((_rule, at) =>
        unnoticed(inCloud(forms, network, { ...groups, [side]: groups[side].toSpliced(at, 1) })),
      ),
    );
    expect(idle.map(({ name }) => name)).toEqual([]);
  });
});

describe("with one rule too many some packet is judged wrongly", () => {
  test.each(clouds)("security groups open outwards: %s", (_, { forms, network }) => {
    const groups = securityGroups(forms, network);
    const open = { name: "all", form: null, protocol: "-1", peer: { cidr: "0.0.0.0/0" }, description: "" } as const;
    const judge = inCloud(forms, network, { ...groups, egress: [...groups.egress, open] });
    const answered = CORPUS.map(judge).filter(isWrong);
    // What a node has sent and nobody let in makes the readable packet that comes back an answer.
    expect(answered.map(({ packet }) => packet.what)).toContain("protocol gre, back (IPv4)");
    expect(answered.every(({ found }) => found === "pass")).toBe(true);
  });

  test.each(clouds)("security groups with the rule for an overlay: %s", (_, { forms, network }) => {
    const groups = securityGroups(forms, network);
    const vxlan = {
      form: null,
      protocol: "udp",
      fromPort: 8472,
      toPort: 8472,
      peer: "nodes",
      description: "",
    } as const;
    const judge = inCloud(forms, network, {
      ...groups,
      ingress: [...groups.ingress, { ...vxlan, name: "in" }],
      egress: [...groups.egress, { ...vxlan, name: "out" }],
    });
    const leaked = CORPUS.map(judge).filter(
      (judged) => isWrong(judged) && judged.packet.meaning === "readable overlay",
    );
    expect(leaked).not.toEqual([]);
  });

  test.each(bridges)("nftables with an accept in front: %s", (_, { forms }) => {
    const open = guardRuleset(guarded(forms)).replace("policy accept;", "policy accept;\n\t\taccept");
    expect(unnoticed(onBridge(forms, open))).toBe(false);
  });
});

function distinct(all: readonly Row[], key: (row: Row) => string): [string, Row][] {
  return [...new Map(all.map((row) => [key(row), row]))];
}
