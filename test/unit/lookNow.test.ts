import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { look, lookNow } from "../../components/look/look.ts";
import { settingsOf } from "./components/config.ts";

// Three programs start.
jest.setTimeout(30_000);

describe("a look at machine and cluster", () => {
  const { PATH, WIRECLOAK_STATE_DIR } = process.env;
  const state = mkdtempSync(join(tmpdir(), "wirecloak-look-"));
  beforeAll(() => {
    // No tool is there, and no cluster was made.
    process.env.PATH = [join(process.execPath, ".."), state].join(delimiter);
    process.env.WIRECLOAK_STATE_DIR = state;
  });
  afterAll(() => {
    process.env.PATH = PATH;
    if (WIRECLOAK_STATE_DIR === undefined) delete process.env.WIRECLOAK_STATE_DIR;
    else process.env.WIRECLOAK_STATE_DIR = WIRECLOAK_STATE_DIR;
    rmSync(state, { recursive: true });
  });

  test("at once sees what one that is waited for sees", async () => {
    const settings = settingsOf({ cluster: { provider: "kind", name: "nobody-made-this" } });
    const looked = lookNow({ settings, account: true });
    expect(looked.findings.map(({ level, what }) => `${level} ${what}`)).toContain("error Docker");
    expect(looked).toEqual(JSON.parse(JSON.stringify(await look({ settings, account: true }))));
  });

  test("that breaks is an error, with what the program said", () => {
    const settings = settingsOf({ cluster: { provider: "kind" } });
    expect(() => lookNow({ settings: { ...settings, cilium: undefined as never }, account: true })).toThrow(
      /TypeError.*\n\s+at /s,
    );
  });
});
