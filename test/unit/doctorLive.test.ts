import { keyAgeText } from "../../cli/keyAgeText.ts";
import { checkLive } from "../../doctor/live.ts";
import { settingsOf } from "./components/config.ts";
import { ipsec, liveCluster } from "./components/live/liveCluster.ts";

describe("the doctor on a live cluster", () => {
  const found = (config: object) => checkLive(settingsOf({ ...config }), async () => liveCluster("ipsec"));

  test("says what an update would be refused with, and what mends it", async () => {
    expect(await found(ipsec(7))).toEqual([
      {
        level: "error",
        what: "wirecloak:ipsec.keyId = 7",
        evidence: expect.stringMatching(/holds key 3 .*Allowed: 3 .* or 4/),
        fix: "pulumi config set --path wirecloak:ipsec.keyId 4",
      },
    ]);
  });

  test("says that nothing speaks against an update, and nothing where there is no cluster", async () => {
    expect(await found(ipsec(4))).toMatchObject([{ level: "ok" }]);
    expect(await checkLive(settingsOf(), async () => undefined)).toEqual([]);
  });
});

test("status says how old the key is, and when it is too old", () => {
  expect(keyAgeText(null, 90)).toBe("");
  expect(keyAgeText(90, 90)).toBe("IPsec key: 90 days old\n");
  expect(keyAgeText(91, 90)).toMatch(/91 days old, more than the 90 .*wirecloak rotate/);
});
