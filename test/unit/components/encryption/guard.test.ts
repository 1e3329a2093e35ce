import { type Form, formsOf, formsSent, union } from "../../../../components/encryption/guard/forms.ts";
import { type GuardOrder, type GuardRun, guardDocument } from "../../../../components/encryption/guard/order.ts";
import { guardRemoval, guardRuleset } from "../../../../components/encryption/guard/ruleset.ts";
import { guardShown } from "../../../../components/encryption/guard/shown.ts";
import { type GuardTable, parseGuardTable } from "../../../../components/encryption/guard/table.ts";
import { settingsOf } from "../config.ts";

const network = { nodes: ["172.18.0.0/16"], controlPlanes: ["172.18.0.2"] };
const ownRun: GuardRun = { owner: "us", network, sent: [] };
const order: Omit<GuardOrder, "place"> = {
  table: "wirecloak-dev",
  generation: "one",
  forms: ["ipsec"],
  pods: ["10.244.0.0/16"],
};
const live = (forms: Form[], generation = "one", owner = "us"): GuardTable => ({
  ...{ generation, owner, forms, digest: "d", intact: true, members: [], dropped: {} },
});
const stampIn = (document: string | undefined) => /comment "wirecloak (.*)"/.exec(document ?? "")?.[1];

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

describe("what ciphertext a live cluster sends", () => {
  const config = (data: Record<string, string>) => ({ data });
  const inTunnel = config({ "enable-ipsec": "true", "routing-mode": "tunnel" });
  test.each<[string, Parameters<typeof formsSent>[0]["config"], (string | null)[], Form[]]>([
    ["none without Cilium", null, [], []],
    ["none", config({ "enable-wireguard": "false" }), ["1.20.2"], []],
    ["WireGuard", config({ "enable-wireguard": "true" }), ["1.20.2"], ["wireguard"]],
    [
      "WireGuard of nodes",
      config({ "enable-wireguard": "true", "encrypt-node": "true" }),
      ["1.20.2"],
      ["wireguard-nodes"],
    ],
    ["IPsec", inTunnel, ["1.18.0"], ["ipsec"]],
    ["IPsec up to 1.17", inTunnel, ["1.17.3"], ["ipsec-in-overlay"]],
    ["IPsec in an upgrade", inTunnel, ["1.17.3", "1.18.0"], ["ipsec", "ipsec-in-overlay"]],
    ["IPsec of nobody knows which version", inTunnel, [null], ["ipsec", "ipsec-in-overlay"]],
    ["IPsec, routed", config({ "enable-ipsec": "true", "routing-mode": "native" }), ["1.17.3"], ["ipsec"]],
    [
      "IPsec up to 1.17 of the overlay too",
      config({ "enable-ipsec": "true", "enable-ipsec-encrypted-overlay": "true" }),
      ["1.17.3"],
      ["ipsec", "ipsec-in-overlay"],
    ],
  ])("%s", (_, data, versions, forms) => {
    expect(formsSent({ config: data, agents: versions.map((version) => ({ version })) })).toEqual(forms);
  });
});

describe("a step of the guard", () => {
  test.each<[string, Parameters<typeof guardDocument>[0], Form[], GuardTable | undefined, string | undefined]>([
    ["the first one lets the settings' ciphertext pass", "widen", ["ipsec"], undefined, "one us ipsec"],
    ["before a switch both modes' pass", "widen", ["ipsec"], live(["wireguard"]), "one us wireguard,ipsec"],
    [
      "a switch that was cut short goes on from both",
      "widen",
      ["ipsec"],
      live(["wireguard", "ipsec"]),
      "one us wireguard,ipsec",
    ],
    ["after the proof only the settings' passes", "narrow", ["ipsec"], live(["wireguard", "ipsec"]), "one us ipsec"],
    ["before plaintext is allowed all stays", "widen", [], live(["wireguard"]), "one us wireguard"],
    [
      "what another cluster of the name had does not count",
      "widen",
      ["ipsec"],
      live(["wireguard"], "two"),
      "one us ipsec",
    ],
  ])("%s", (_, step, forms, table, expected) => {
    expect(stampIn(guardDocument(step, { ...order, forms }, table, ownRun))).toBe(expected);
  });

  const gone = guardRemoval("wirecloak-dev");
  test.each<[string, Parameters<typeof guardDocument>[0], GuardTable | undefined, string | undefined]>([
    ["allowed plaintext passes in the end", "narrow", live(["wireguard"]), gone],
    ["allowed plaintext needs no table", "widen", undefined, undefined],
    ["allowed plaintext outlives no table of an earlier cluster", "widen", live(["wireguard"], "two"), gone],
    ["it takes its own table away", "remove", live(["wireguard"]), gone],
    ["it leaves another generation's alone", "remove", live(["wireguard"], "two"), undefined],
    ["it leaves that of the resource in its place alone", "remove", live(["wireguard"], "one", "new"), undefined],
    ["nothing there to take away", "remove", undefined, undefined],
  ])("%s", (_, step, table, expected) => {
    expect(guardDocument(step, { ...order, forms: [] }, table, ownRun)).toBe(expected);
  });

  test("the first guard of a live cluster lets pass what that sends now, and goes by its own table later", () => {
    const first = { ...ownRun, sent: ["wireguard"] as Form[] };
    expect(stampIn(guardDocument("widen", order, undefined, first))).toBe("one us wireguard,ipsec");
    expect(stampIn(guardDocument("widen", order, live(["ipsec"]), first))).toBe("one us ipsec");
  });

  test("the second step leaves the table with the resource of the first", () => {
    const other = { ...ownRun, owner: "them" };
    expect(stampIn(guardDocument("widen", order, live(["ipsec"]), other))).toBe("one them ipsec");
    expect(stampIn(guardDocument("narrow", order, live(["ipsec"]), other))).toBe("one us ipsec");
  });

  test("keeps the nodes' hardware addresses that were learned, where others are at the same place", () => {
    const learned = { ...live(["ipsec"]), members: ["02:00:00:00:00:02"] };
    const shared = { ...ownRun, network: { ...network, members: ["02:00:00:00:00:01"] } };
    expect(guardDocument("widen", order, learned, shared)).toContain("{ 02:00:00:00:00:01, 02:00:00:00:00:02 }");
    expect(guardDocument("widen", order, learned, ownRun)).not.toContain("@members");
  });

  test("goes on counting where the one before stopped", () => {
    const counted = { ...live(["wireguard"]), dropped: { overlay: { packets: 7, bytes: 900 } } };
    expect(guardDocument("widen", order, counted, ownRun)).toContain("counter overlay { packets 7 bytes 900 }");
    const others = { ...counted, generation: "two" };
    expect(guardDocument("widen", order, others, ownRun)).toContain("counter overlay { packets 0 bytes 0 }");
  });
});

describe("the guard's rules", () => {
  const guarded = {
    table: "wirecloak-dev",
    generation: "one",
    owner: "us",
    nodes: network.nodes,
    pods: order.pods,
    optedOut: [],
  };
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

test("what is shown tells which drops were of plaintext", () => {
  const count = { packets: 1, bytes: 2 };
  const dropped = { overlay: count, "pod-to-pod": count, fragment: count, "icmp-error": count };
  const plain = (forms: Form[]) =>
    Object.entries(guardShown({ ...live(forms), dropped })?.dropped ?? {}).flatMap(([name, { plaintext }]) =>
      plaintext ? [name] : [],
    );
  expect(plain(["ipsec"])).toEqual(["overlay", "pod-to-pod"]);
  // There the overlay carries what nodes and pods exchange, readable by design.
  expect(plain(["ipsec-in-overlay"])).toEqual(["pod-to-pod"]);
  expect(guardShown(undefined)).toBeNull();
});

describe("a table in force", () => {
  const listed = `table bridge wirecloak-dev {
	comment "wirecloak one us wireguard,ipsec,later-form"
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
    expect(parseGuardTable(listed)).toMatchObject({
      ...{ generation: "one", owner: "us", forms: ["wireguard", "ipsec"], dropped },
      ...{ intact: false, members: [] },
    });
  });

  test("without our mark is none", () => {
    expect(parseGuardTable(listed.replace("wirecloak one", "one"))).toBeUndefined();
  });
});
