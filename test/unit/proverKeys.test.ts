import { keyState } from "../../prover/keys.ts";
import { healthy, intentFor } from "./proverTroubles/healthy.ts";

describe("the keys of a node", () => {
  const tunnel = intentFor("ipsec");
  const native = { ...tunnel, overlay: null };
  const seen = healthy("ipsec");

  test.each([
    [tunnel, 12, "new only"],
    [tunnel, 24, "old and new"],
    [native, 6, "new only"],
    [native, 12, "old and new"],
    // Something of a third kind is said by nobody.
    [native, 9, null],
    [native, 0, null],
    [native, null, null],
    [intentFor("wireguard"), 12, null],
  ] as const)("are counted by id (%#)", (intent, keysInUse, state) => {
    expect(keyState(intent, seen, keysInUse)).toBe(state);
  });

  test("are twice as many with IPv6", () => {
    const dual = healthy("ipsec");
    if (dual.config) dual.config.data["enable-ipv6"] = "true";
    expect(keyState(tunnel, dual, 24)).toBe("new only");
  });
});
