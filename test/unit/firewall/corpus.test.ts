import type { Form } from "../../../components/encryption/guard/forms.ts";
import { CLOSED, indistinguishable } from "../../../components/encryption/guard/securityGroup.ts";
import { CORPUS } from "../../firewall/corpus.ts";
import { MEANINGS, type MeaningName } from "../../firewall/meanings.ts";
import { rows } from "../../firewall/modes.ts";
import { difference, meaningOf } from "../../firewall/renderings.ts";
import { judgements, type Line } from "../../firewall/table.ts";

const lines = judgements();
const judged = lines.filter((line): line is Line => !("refused" in line));
const states = rows().filter(({ forms }) => !forms.includes("ipsec-in-overlay"));

describe("the corpus", () => {
  test("has at least 300 packets, each with a name of its own", () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(300);
    const names = CORPUS.map(({ what }) => what);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  test("has each meaning", () => {
    const used = new Set<string>(CORPUS.map(({ meaning }) => meaning));
    expect(Object.keys(MEANINGS).filter((name) => !used.has(name))).toEqual([]);
  });

  test("is judged in every mode and in every change, in each version and in both networks", () => {
    const seen = rows().map(({ mode, cilium, network }) => `${mode} ${cilium} ${network}`);
    expect(new Set(seen).size).toBe(6 * 5 * 2 + 1);
    const forms = new Set(rows().flatMap((row) => row.forms));
    expect(forms).toEqual(new Set<Form>(["wireguard", "wireguard-nodes", "ipsec", "ipsec-in-overlay"]));
  });
});

describe("the rules", () => {
  test.each(judged.map((line) => [line.mode, line.cilium, line.network, line.rendering, line] as const))(
    "%s, %s, %s, %s: do what is right with each packet",
    (_mode, _cilium, _network, _rendering, { wrong, packets, dropped, passed }) => {
      expect(wrong.map(({ packet, right, found }) => `${packet.what}: ${found}, not ${right}`)).toEqual([]);
      expect(dropped + passed).toBe(packets);
      expect(Math.min(dropped, passed)).toBeGreaterThan(50);
    },
  );

  test("are refused for security groups only where ciphertext is inside a readable overlay", () => {
    const refused = lines.filter((line) => "refused" in line);
    const inside = rows().filter(({ forms }) => forms.includes("ipsec-in-overlay"));
    expect(refused.map(({ mode, cilium }) => [mode, cilium])).toEqual(inside.map(({ mode, cilium }) => [mode, cilium]));
    expect(refused).not.toEqual([]);
  });
});

describe("what is right", () => {
  const plaintext = CORPUS.filter((packet) => meaningOf(packet).is === "plaintext");
  const passing = (names: MeaningName[], forms: Form[]) =>
    names.filter((name) => MEANINGS[name].bridge(forms) === "pass");

  test("is to drop plaintext on a bridge, always", () => {
    const passed = rows().flatMap(({ forms }) =>
      plaintext.filter((packet) => meaningOf(packet).bridge(forms) === "pass"),
    );
    expect(passed).toEqual([]);
    expect(plaintext.length).toBeGreaterThan(300);
  });

  test("is to drop plaintext in a security group, but for what the evidence says it cannot tell", () => {
    const silent = states.flatMap(({ forms, network }) => {
      const told = indistinguishable(forms);
      const passed = plaintext.filter((packet) => meaningOf(packet).group(forms, network) === "pass");
      return passed.filter((packet) => !told.includes(difference(packet, forms, network) ?? ""));
    });
    expect(silent).toEqual([]);
  });

  test("differs between the renderings only with a sentence that says why", () => {
    const silent = states.flatMap(({ forms, network }) => {
      const told = { pass: indistinguishable(forms), drop: Object.values<string>(CLOSED) };
      return CORPUS.filter((packet) => {
        const why = difference(packet, forms, network);
        return why !== undefined && !told[meaningOf(packet).group(forms, network)].includes(why);
      });
    });
    expect(silent.map(({ what }) => what)).toEqual([]);
  });

  test("needs every such sentence, but the one about time, which no single packet shows", () => {
    const found = new Set(
      states.flatMap(({ forms, network }) => CORPUS.map((packet) => difference(packet, forms, network))),
    );
    const said = [...indistinguishable(["wireguard", "ipsec"]), ...Object.values(CLOSED)];
    expect(said.filter((sentence) => !found.has(sentence))).toEqual([
      expect.stringMatching(/^A flow that an earlier rule/),
    ]);
  });

  test.each<[Form[], MeaningName[]]>([
    [["wireguard"], ["WireGuard"]],
    [["wireguard-nodes"], ["WireGuard"]],
    [["ipsec"], ["ESP", "later fragment of ESP"]],
    [["ipsec-in-overlay"], ["ESP in an overlay"]],
    [
      ["wireguard", "ipsec"],
      ["WireGuard", "ESP", "later fragment of ESP"],
    ],
  ])("in %j is to pass the ciphertext %j and no other", (forms, expected) => {
    expect(passing(["WireGuard", "ESP", "later fragment of ESP", "ESP in an overlay"], forms)).toEqual(expected);
  });

  test("is to pass in a security group too what a cluster needs and a bridge passes, where the network carries it", () => {
    const missing = states.flatMap(({ forms, network }) =>
      CORPUS.filter((packet) => {
        const { is, bridge, group } = meaningOf(packet);
        return is === "needed" && bridge(forms) === "pass" && group(forms, network) === "drop";
      }).flatMap((packet) => difference(packet, forms, network) ?? []),
    );
    expect(new Set(missing)).toEqual(new Set([CLOSED.otherNetworks]));
  });
});
