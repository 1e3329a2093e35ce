import { plaintextReason } from "../../policies/rules/ciliumEncrypted.ts";

describe("the rule cilium-encryption-enabled", () => {
  const encrypted = { enabled: true, type: "wireguard" };

  test.each([
    ["wireguard", { chart: "cilium", values: { encryption: encrypted } }],
    ["ipsec", { chart: "cilium", values: { encryption: { enabled: true, type: "ipsec" } } }],
    ["another chart without encryption", { chart: "nginx", values: {} }],
    ["another chart whose name only ends alike", { chart: "not-cilium", values: {} }],
  ])("lets %s through", (_, release) => {
    expect(plaintextReason(release)).toBeUndefined();
  });

  test.each([
    ["no values at all", { chart: "cilium" }, "encryption.enabled"],
    [
      "encryption off",
      { chart: "cilium", values: { encryption: { ...encrypted, enabled: false } } },
      "encryption.enabled",
    ],
    [
      "a string for a boolean",
      { chart: "cilium", values: { encryption: { ...encrypted, enabled: "false" } } },
      "encryption.enabled",
    ],
    [
      "a misspelt type",
      { chart: "cilium", values: { encryption: { ...encrypted, type: "WireGuard" } } },
      "encryption.type",
    ],
    ["no type", { chart: "cilium", values: { encryption: { enabled: true } } }, "encryption.type"],
    ["an OCI reference", { chart: "oci://quay.io/cilium/charts/cilium", values: {} }, "encryption.enabled"],
    ["a local package", { chart: "/charts/cilium-1.20.2.tgz", values: {} }, "encryption.enabled"],
  ])("refuses %s", (_, release, named) => {
    expect(plaintextReason(release)).toContain(named);
  });
});
