import { keyAgeText } from "../../cli/keyAgeText.ts";
import { UserError } from "../../components/userError.ts";
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

  test("lists among the others that it cannot be told whether there is one, and hides no mistake of ours", async () => {
    const failing = (failure: Error) => checkLive(settingsOf(), () => Promise.reject(failure));
    const message = "AWS does not say whether this cluster is there.";
    expect(await failing(new UserError([{ key: "wirecloak:cluster.name", value: "eks", message }]))).toMatchObject([
      { level: "error", what: 'wirecloak:cluster.name = "eks"', evidence: message },
    ]);
    await expect(failing(new TypeError("a mistake"))).rejects.toThrow("a mistake");
  });
});

test("status says how old the key is, and when it is too old", () => {
  expect(keyAgeText(null, 90)).toBe("");
  expect(keyAgeText(90, 90)).toBe("IPsec key: 90 days old\n");
  expect(keyAgeText(91, 90)).toMatch(/91 days old, more than the 90 .*wirecloak rotate/);
});
