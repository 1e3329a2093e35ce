import { type ResourceValidationPolicy, type StackValidationPolicy, unknownCheckingProxy } from "@pulumi/policy";
import { policiesOf } from "../../../policies/pack.ts";
import { ciliumEncryptionEnabled } from "../../../policies/rules/ciliumEncryptionEnabled.ts";
import { clusterEncrypted } from "../../../policies/rules/clusterEncrypted.ts";
import { UNKNOWN } from "./asked.ts";

const provider = { type: "pulumi:providers:kubernetes", name: "k", urn: "urn:k", props: { kubeconfig: "k" } };

/** What the stack's rule says at the end of a preview in which the engine has nothing to tell of the release, after the release's own rule was asked or not. */
async function atTheEnd(values: object, { isAsked = true } = {}) {
  const [single, stack] = policiesOf([ciliumEncryptionEnabled, clusterEncrypted], {
    where: () => ({ today: new Date("2026-11-21") }),
  }) as [ResourceValidationPolicy, StackValidationPolicy];
  const release = { type: "kubernetes:helm.sh/v3:Release", name: "cilium", urn: "urn:r", opts: {}, provider };
  const getConfig = () => ({});
  const inputs = unknownCheckingProxy({ chart: "cilium", version: "1.20.2", values });
  if (isAsked && typeof single.validateResource === "function")
    await single.validateResource({ ...release, props: inputs, getConfig } as never, () => undefined);
  const told: unknown[] = [];
  const seen = { opts: {}, propertyDependencies: {}, dependencies: [] };
  const resources = [
    { ...seen, ...provider },
    { ...seen, ...release, props: unknownCheckingProxy({}) },
  ];
  await stack.validateStack({ resources, getConfig } as never, ((violation: unknown) => told.push(violation)) as never);
  return told;
}

test("what was asked for stands in for what the engine does not know yet", async () => {
  expect(await atTheEnd({ encryption: { enabled: true, type: "wireguard" } })).toEqual([]);
  expect(await atTheEnd({})).toEqual([
    expect.stringContaining("nothing that goes through it is a Cilium that encrypts"),
  ]);
});

test("what is unknown in it stays so", async () => {
  await expect(atTheEnd({ encryption: { enabled: UNKNOWN, type: "wireguard" } })).rejects.toThrow("during preview");
});

test("where nobody was told what was asked for, it is undecided", async () => {
  const told = await atTheEnd({}, { isAsked: false });
  expect(told).toEqual([expect.objectContaining({ enforcementLevel: "advisory" })]);
  expect(JSON.stringify(told)).toContain("what goes through provider k is not known before its cluster is");
});
