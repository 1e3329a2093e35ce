import { hasUnknown, type PropertyMap, reveal, Secret, unknown } from "../../rehearsal/plugins/plugin/values.ts";
import { Plugin, type State } from "./plugin.ts";

const key = { type: "random:index/randomBytes:RandomBytes", name: "key" };

/** The bytes of a state, from both of its encodings, which must agree. */
function bytesOf({ outputs }: State): Buffer {
  const [base64, hex] = [String(reveal(outputs.base64 ?? "")), String(reveal(outputs.hex ?? ""))];
  expect(Buffer.from(base64, "base64").toString("hex")).toBe(hex);
  return Buffer.from(hex, "hex");
}

describe("the random plugin", () => {
  let plugin: Plugin;
  beforeAll(async () => {
    plugin = await Plugin.start("random");
  });
  afterAll(() => plugin.stop());

  /** What the engine does for a new resource. */
  async function created(news: PropertyMap): Promise<State> {
    const { inputs, failures } = await plugin.check(key, news);
    expect(failures).toEqual([]);
    return plugin.create(key, inputs);
  }

  /** What the engine asks for a resource whose program has these arguments now. */
  async function diffTo(state: State, news: PropertyMap) {
    const { inputs } = await plugin.check(key, news, state.inputs);
    return plugin.diff(key, state, inputs);
  }

  test("tells a version", async () => {
    expect(await plugin.version()).toMatch(/^v?4\.\d+\.\d+/);
  });

  test.each([20, 36, 1])("RandomBytes makes %i bytes", async (length) => {
    expect(bytesOf(await created({ length }))).toHaveLength(length);
  });

  test("makes other bytes each time", async () => {
    const [one, other] = [await created({ length: 20 }), await created({ length: 20 })];
    expect(bytesOf(one).equals(bytesOf(other))).toBe(false);
  });

  test("marks the bytes as secret in both encodings", async () => {
    const { outputs } = await created({ length: 20 });
    expect(outputs.base64).toBeInstanceOf(Secret);
    expect(outputs.hex).toBeInstanceOf(Secret);
  });

  test("keeps the arguments among the outputs", async () => {
    const { outputs } = await created({ length: 20, keepers: { epoch: "1" } });
    expect(outputs.length).toBe(20);
    expect(outputs.keepers).toEqual({ epoch: "1" });
  });

  test("has the base64 form as its id, which no state encrypts", async () => {
    const state = await created({ length: 20 });
    expect(state.id).toBe(bytesOf(state).toString("base64"));
  });

  test.each<[string, PropertyMap]>([
    ["no length", {}],
    ["a length of 0", { length: 0 }],
    ["a length that is no number", { length: "many" }],
  ])("refuses %s, and names the property", async (_, news) => {
    const { failures } = await plugin.check(key, news);
    expect(failures).not.toEqual([]);
    expect(JSON.stringify(failures)).toContain("length");
  });

  test("accepts a length that is not known yet", async () => {
    expect((await plugin.check(key, { length: unknown })).failures).toEqual([]);
  });

  test("at preview, the bytes are not known", async () => {
    const { inputs } = await plugin.check(key, { length: 20 });
    const { outputs } = await plugin.create(key, inputs, { preview: true });
    expect(outputs.length).toBe(20);
    expect([outputs.base64, outputs.hex].every((value) => value === undefined || hasUnknown(value))).toBe(true);
  });

  test("unchanged arguments are no difference", async () => {
    const state = await created({ length: 20, keepers: { epoch: "1" } });
    expect((await diffTo(state, { length: 20, keepers: { epoch: "1" } })).changes).toBe("none");
  });

  test.each<[string, PropertyMap, string]>([
    ["another length", { length: 36, keepers: { epoch: "1" } }, "length"],
    ["another keeper", { length: 20, keepers: { epoch: "2" } }, "keepers"],
    ["one more keeper", { length: 20, keepers: { epoch: "1", more: "1" } }, "keepers"],
    ["no keepers any more", { length: 20 }, "keepers"],
    ["a keeper that is not known yet", { length: 20, keepers: { epoch: unknown } }, "keepers"],
  ])("%s replaces the bytes", async (_, news, property) => {
    const diff = await diffTo(await created({ length: 20, keepers: { epoch: "1" } }), news);
    expect(diff.changes).toBe("some");
    expect(diff.replaces).toContain(property);
    expect(diff.deleteBeforeReplace).toBe(false);
  });

  test("a refresh finds no drift", async () => {
    const state = await created({ length: 20, keepers: { epoch: "1" } });
    const read = await plugin.read(key, state);
    expect(read?.id).toBe(state.id);
    expect(read && bytesOf(read)).toEqual(bytesOf(state));
    expect(read?.outputs.base64).toBeInstanceOf(Secret);
    expect(read && (await diffTo(read, { length: 20, keepers: { epoch: "1" } })).changes).toBe("none");
  });

  test("imports bytes by their base64 form", async () => {
    const bytes = Buffer.alloc(20, 0xa5);
    const read = await plugin.read(key, { id: bytes.toString("base64"), inputs: {}, outputs: {} });
    expect(read && bytesOf(read)).toEqual(bytes);
    expect(read?.outputs.length).toBe(20);
    expect(read?.outputs.hex).toBeInstanceOf(Secret);
  });

  test("refuses to import what is no base64", async () => {
    await expect(plugin.read(key, { id: "!not base64!", inputs: {}, outputs: {} })).rejects.toThrow(/base64/);
  });

  test("deletes without more", async () => {
    const state = await created({ length: 20 });
    await expect(plugin.delete(key, state)).resolves.toBeUndefined();
  });

  describe("RandomPassword", () => {
    const password = { type: "random:index/randomPassword:RandomPassword", name: "password" };
    /** 40 hexadecimal digits, which are 20 bytes. */
    const hex = { length: 40, upper: false, lower: false, numeric: true, special: true, overrideSpecial: "abcdef" };

    async function made(news: PropertyMap): Promise<State> {
      const { inputs, failures } = await plugin.check(password, news);
      expect(failures).toEqual([]);
      return plugin.create(password, inputs);
    }

    test("takes characters of the allowed kinds, with special ones of our choice", async () => {
      expect(reveal((await made(hex)).outputs.result ?? null)).toMatch(/^[0-9a-f]{40}$/);
      expect(reveal((await made({ length: 9, special: false })).outputs.result ?? null)).toMatch(/^[0-9A-Za-z]{9}$/);
    });

    test("uses every digit of the alphabet equally often", async () => {
      const digits = String(reveal((await made({ ...hex, length: 16_000 })).outputs.result ?? null));
      for (const digit of "0123456789abcdef") {
        const count = digits.split(digit).length - 1;
        expect(Math.abs(count - 1000)).toBeLessThan(250); // eight standard deviations
      }
    });

    test("keeps the least numbers of each kind", async () => {
      const { outputs } = await made({ length: 6, minUpper: 2, minLower: 2, minNumeric: 1, minSpecial: 1 });
      const result = String(reveal(outputs.result ?? null));
      expect(result).toHaveLength(6);
      expect([/[A-Z].*[A-Z]/, /[a-z].*[a-z]/, /[0-9]/, /[^0-9A-Za-z]/].every((kind) => kind.test(result))).toBe(true);
    });

    test("keeps the result secret, and out of its id", async () => {
      const { id, outputs } = await made(hex);
      expect(outputs.result).toBeInstanceOf(Secret);
      expect(id).toBe("none");
    });

    test("at preview, the result is not known", async () => {
      const { outputs } = await plugin.create(password, hex, { preview: true });
      expect(outputs.result === undefined || hasUnknown(outputs.result)).toBe(true);
    });

    test.each<[string, PropertyMap]>([
      ["no length", { special: false }],
      ["a length of 0", { length: 0 }],
      ["a length below the least numbers", { length: 3, minUpper: 2, minLower: 2 }],
    ])("refuses %s, and names the property", async (_, news) => {
      const { failures } = await plugin.check(password, news);
      expect(JSON.stringify(failures)).toContain("length");
    });

    test.each<[string, PropertyMap]>([
      ["another length", { ...hex, length: 72 }],
      ["other special characters", { ...hex, overrideSpecial: "abc" }],
      ["a keeper", { ...hex, keepers: { epoch: "2" } }],
    ])("%s replaces it", async (_, news) => {
      const diff = await plugin.diff(password, await made(hex), (await plugin.check(password, news)).inputs);
      expect(diff.changes).toBe("some");
      expect(diff.replaces).not.toEqual([]);
    });

    test("a refresh finds no drift", async () => {
      const state = await made(hex);
      const read = await plugin.read(password, state);
      expect(read?.outputs.result).toEqual(state.outputs.result);
      expect(read && (await plugin.diff(password, read, state.inputs)).changes).toBe("none");
    });
  });

  test("refuses a type it does not know, and names it", async () => {
    const target = { type: "random:index/randomTeapot:RandomTeapot", name: "pot" };
    await expect(plugin.check(target, {})).rejects.toThrow(/RandomTeapot/);
  });

  test("killed, it leaves a state that the next process understands", async () => {
    const first = await Plugin.start("random");
    const { inputs } = await first.check(key, { length: 20 });
    const state = await first.create(key, inputs);
    await first.kill();
    expect((await diffTo(state, { length: 20 })).changes).toBe("none");
  });

  test("shows the bytes nowhere", async () => {
    const state = await created({ length: 20 });
    const shown = JSON.stringify(plugin.logs) + plugin.written;
    expect(shown).not.toContain(bytesOf(state).toString("hex"));
    expect(shown).not.toContain(bytesOf(state).toString("base64"));
  });
});
