import { type Form, formsOf, union } from "../../../../components/encryption/guard/forms.ts";
import { type GuardOrder, guardDocument } from "../../../../components/encryption/guard/order.ts";
import { guardRemoval, guardRuleset } from "../../../../components/encryption/guard/ruleset.ts";
import { type GuardTable, parseGuardTable } from "../../../../components/encryption/guard/table.ts";
import { settingsOf } from "../config.ts";

const network = { nodes: ["172.18.0.0/16"], controlPlanes: ["172.18.0.2"] };
const order: Omit<GuardOrder, "place"> = {
  table: "wirecloak-dev",
  generation: "one",
  forms: ["ipsec"],
  pods: ["10.244.0.0/16"],
};
const live = (forms: Form[], generation = "one"): GuardTable => ({ generation, forms, dropped: {} });
const formsIn = (document: string | undefined) => /comment "wirecloak (.*)"/.exec(document ?? "")?.[1];

describe("what ciphertext settings make", () => {
  const ipsec = (version: string, routing: string, more: object = {}) => ({
    encryption: "ipsec",
    cilium: { version, routing, ...(routing === "native" && { nativeCidr: "10.244.0.0/16" }) },
    ...more,
  });
  test.each([
    [{ encryption: "wireguard" }, ["wireguard"]],
    [{ encryption: "wireguard", wireguard: { nodeEncryption: true } }, ["wireguard-nodes"]],
    [{ encryption: "none", allowPlaintext: { reason: "a test", until: "2099-01-01" } }, []],
    [ipsec("1.20.2", "tunnel"), ["ipsec"]],
    [ipsec("1.18.0", "tunnel"), ["ipsec"]],
    [ipsec("1.17.0", "tunnel"), ["ipsec-in-overlay"]],
    [ipsec("1.17.0", "tunnel", { ipsec: { encryptedOverlay: true } }), ["ipsec", "ipsec-in-overlay"]],
    [ipsec("1.17.0", "native"), ["ipsec"]],
  ])("%j: %j", (config, forms) => {
    expect(formsOf(settingsOf(config))).toEqual(forms);
  });

  test("of two modes is told in one order, each once", () => {
    expect(union(["ipsec"], ["wireguard", "ipsec"])).toEqual(["wireguard", "ipsec"]);
    expect(union(["wireguard", "ipsec"], ["ipsec"])).toEqual(["wireguard", "ipsec"]);
  });
});

describe("a step of the guard", () => {
  test.each<[string, Parameters<typeof guardDocument>[0], Form[], GuardTable | undefined, string | undefined]>([
    ["the first one lets the settings' ciphertext pass", "widen", ["ipsec"], undefined, "one ipsec"],
    ["before a switch both modes' pass", "widen", ["ipsec"], live(["wireguard"]), "one wireguard,ipsec"],
    [
      "a switch that was cut short goes on from both",
      "widen",
      ["ipsec"],
      live(["wireguard", "ipsec"]),
      "one wireguard,ipsec",
    ],
    ["after the proof only the settings' passes", "narrow", ["ipsec"], live(["wireguard", "ipsec"]), "one ipsec"],
    ["before plaintext is allowed all stays", "widen", [], live(["wireguard"]), "one wireguard"],
    [
      "what another cluster of the name had does not count",
      "widen",
      ["ipsec"],
      live(["wireguard"], "two"),
      "one ipsec",
    ],
  ])("%s", (_, step, forms, table, expected) => {
    expect(formsIn(guardDocument(step, { ...order, forms }, table, network))).toBe(expected);
  });

  const gone = guardRemoval("wirecloak-dev");
  test.each<[string, Parameters<typeof guardDocument>[0], GuardTable | undefined, string | undefined]>([
    ["allowed plaintext passes in the end", "narrow", live(["wireguard"]), gone],
    ["allowed plaintext needs no table", "widen", undefined, undefined],
    ["allowed plaintext outlives no table of an earlier cluster", "widen", live(["wireguard"], "two"), gone],
    ["it takes its own table away", "remove", live(["wireguard"]), gone],
    ["it leaves another generation's alone", "remove", live(["wireguard"], "two"), undefined],
    ["nothing there to take away", "remove", undefined, undefined],
  ])("%s", (_, step, table, expected) => {
    expect(guardDocument(step, { ...order, forms: [] }, table, network)).toBe(expected);
  });

  test("goes on counting where the one before stopped", () => {
    const counted = { ...live(["wireguard"]), dropped: { overlay: { packets: 7, bytes: 900 } } };
    expect(guardDocument("widen", order, counted, network)).toContain("counter overlay { packets 7 bytes 900 }");
    const others = { ...counted, generation: "two" };
    expect(guardDocument("widen", order, others, network)).toContain("counter overlay { packets 0 bytes 0 }");
  });
});

describe("the guard's rules", () => {
  const guarded = { table: "wirecloak-dev", generation: "one", nodes: network.nodes, pods: order.pods, optedOut: [] };
  test.each<Form[][]>([
    [["wireguard"]],
    [["wireguard-nodes"]],
    [["ipsec"]],
    [["ipsec-in-overlay"]],
    [["wireguard", "ipsec"]],
  ])("for %j", (forms) => {
    const optedOut = network.controlPlanes;
    expect(guardRuleset({ ...guarded, forms, optedOut })).toMatchSnapshot();
  });

  test("for nodes and pods of both families", () => {
    const both = { nodes: ["172.18.0.0/16", "fc00:1::/64"], pods: ["10.244.0.0/16", "fd00:10:244::/56"] };
    expect(guardRuleset({ ...guarded, ...both, forms: ["ipsec"] })).toMatchSnapshot();
  });

  test("do not drop nodes' own traffic where it is not known who opts out of encrypting it", () => {
    const text = guardRuleset({ ...guarded, forms: ["wireguard-nodes"] });
    expect(text).not.toContain("counter name node-traffic");
  });
});

describe("a table in force", () => {
  const listed = `table bridge wirecloak-dev {
	comment "wirecloak one wireguard,ipsec,later-form"
	counter overlay {
		packets 7 bytes 900
	}

	counter unknown {
		packets 1 bytes 1
	}
}
`;
  test("tells its generation, its forms and what it dropped", () => {
    const dropped = { overlay: { packets: 7, bytes: 900 } };
    expect(parseGuardTable(listed)).toEqual({ generation: "one", forms: ["wireguard", "ipsec"], dropped });
  });

  test("without our mark is none", () => {
    expect(parseGuardTable(listed.replace("wirecloak one", "one"))).toBeUndefined();
  });
});
