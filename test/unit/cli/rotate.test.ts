import { parse } from "yaml";
import { withKeyId } from "../../../cli/keyIdEdit.ts";
import { type KeysSeen, oldKeyGone } from "../../../cli/oldKey.ts";

describe("the new key id in a stack's config file", () => {
  const long = `config:\n  # why: ${"words ".repeat(30)}\n  wirecloak:encryption: ipsec # the mode\n`;

  test.each([
    [
      "a block",
      `${long}  wirecloak:ipsec:\n    keyBits: 256\n    keyId: 3   # stepped by one\n`,
      "keyId: 4   # stepped by one",
    ],
    ["braces", `${long}  wirecloak:ipsec: { keyId:  3, keyBits: 256 }\n`, "{ keyId:  4, keyBits: 256 }"],
    ["a key without a namespace", `${long}  ipsec: { keyId: 3 }\n`, "  ipsec: { keyId: 4 }"],
  ])("is one changed number in %s", (_, text, line) => {
    const changed = withKeyId(text, 4);
    expect(changed).toContain(line);
    expect(changed.length).toBe(text.length);
    expect(changed.replace(/(keyId: *)4/, "$13")).toBe(text);
  });

  test.each([
    ["beside other parts", `${long}  wirecloak:ipsec:\n    keyBits: 256\n`, { keyBits: 256, keyId: 4 }],
    ["where there were none", long, { keyId: 4 }],
  ])("is added %s, and comments stay", (_, text, ipsec) => {
    const changed = withKeyId(text, 4);
    expect(parse(changed).config["wirecloak:ipsec"]).toEqual(ipsec);
    expect(changed.startsWith(long)).toBe(true);
  });
});

describe("the old key", () => {
  const nodes = (keysInUse: number, keys: KeysSeen["keys"]): KeysSeen[] =>
    ["a", "b"].map((node) => ({ node, keysInUse, keys }));

  /** Looks as given, the last one over and over, by a clock that only sleeping moves. */
  async function waited(gone: Date, ...looks: KeysSeen[][]) {
    let now = 0;
    let count = 0;
    const clock = {
      now: () => now,
      sleep: async (seconds: number) => {
        now += 1000 * seconds;
      },
    };
    return oldKeyGone(async () => looks[Math.min(count++, looks.length - 1)] ?? [], gone, { clock });
  }

  test("is gone once the keys of every node have halved", async () => {
    const both = nodes(8, "old and new");
    expect(await waited(new Date(10_000), both, both, nodes(4, "new only"))).toEqual({
      met: true,
      told: "2 of 2 nodes were seen with the old key and the new: 8 keys in use a node, now 4, after 10 s",
    });
  });

  test("was seen by the proof, where it has gone since", async () => {
    const once = async () => nodes(4, "new only");
    const { told } = await oldKeyGone(once, new Date(0), { proof: nodes(8, "old and new") });
    expect(told).toMatch(/^2 of 2 nodes were seen .*: 8 keys in use a node, now 4/);
  });

  test("is not called gone where a node keeps it, or does not answer", async () => {
    const [a, b] = nodes(8, "old and new");
    const stays = await waited(new Date(0), [{ node: "a", keysInUse: 4, keys: "new only" }, b as KeysSeen]);
    expect(stays).toMatchObject({ met: false, told: expect.stringMatching(/still have .*: b \(8\)$/) });
    const silent = await waited(new Date(0), [{ ...(a as KeysSeen), keysInUse: null, keys: null }]);
    expect(silent).toMatchObject({ met: false, told: expect.stringContaining("a (no answer)") });
  });
});
