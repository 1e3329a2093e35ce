import { providerIn } from "../../../components/settings.ts";
import { asConfig } from "./config.ts";

describe("the provider that a config names", () => {
  test.each([
    [
      "where other settings are wrong",
      { cluster: { provider: "rehearsal", workerz: 1 }, encryption: "rot13" },
      "rehearsal",
    ],
    ["where it names none", {}, "kind"],
    ["where it names one that there is not", { cluster: { provider: "toString" } }, undefined],
    ["where the cluster is no object", { cluster: "eks" }, undefined],
    ["where it names one without --path", { "wirecloak:cluster.provider": "eks" }, undefined],
    ["where the cluster names none", { cluster: { workers: 1 } }, "kind"],
  ])("%s", (_, config, provider) => {
    expect(providerIn(asConfig(config))).toBe(provider);
  });
});
