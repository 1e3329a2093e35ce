import { judge, type PackConfig } from "../../../policies/judge.ts";
import type { Resource, Tree } from "../../../policies/resource.ts";
import { RULES } from "../../../policies/rules/index.ts";
import { eksStack, TYPES } from "./stack.ts";

/** How a secret looks to a mock. */
const SECRET = "4dabf18193072939515e22adb298388d";

/** All that the rules can ask of a cloud. */
const STRICT: PackConfig = {
  "ipsec-key-at-rest": { required: true },
  "node-credentials-kept": { required: true },
};

/** Every mode in every network that has it. */
const STACKS = [
  ["eni", "wireguard"],
  ["eni", "ipsec"],
  ["overlay", "wireguard"],
  ["overlay", "ipsec"],
  ["chaining", "wireguard"],
] as const;

/** The resources of a stack as the pack gets them: secrets are in clear there. */
async function resourcesOf(network: string, encryption: string, config: object = {}): Promise<Resource[]> {
  const { resources, links } = await eksStack({ network }, { encryption, ...config });
  return resources.map(({ type, name, inputs }) => {
    const { urn = "", provider = "", ...link } = links.get(`${type} ${name}`) ?? {};
    return { type, name, urn, props: revealed(inputs) as Tree, ...link, ...(provider && { provider }) };
  });
}

function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET in value) return revealed(Object(value).value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

/** The rules that refuse these resources, or cannot tell; each once. */
function refusing(resources: Resource[]): string[] {
  return [...new Set(judge(RULES, resources, STRICT).map(({ rule }) => rule.name))];
}

/** The same resources, of which those of a type have other properties. */
function changed(resources: Resource[], type: string, props: (props: Tree) => Tree): Resource[] {
  expect(resources.map((resource) => resource.type)).toContain(type);
  return resources.map((resource) =>
    resource.type === type ? { ...resource, props: props(resource.props) } : resource,
  );
}

/** The same without some inputs. */
const without =
  (...names: string[]) =>
  (props: Tree) =>
    Object.fromEntries(Object.entries(props).filter(([name]) => !names.includes(name)));

describe.each(STACKS)("the policy pack, of an EKS stack in network mode %s with %s,", (network, encryption) => {
  const stack = () => resourcesOf(network, encryption);
  /** Behind another CNI it is meant to be there. */
  const unlessChained = (...rules: string[]) => (network === "chaining" ? [] : rules);

  test("has nothing to say, though it may ask all", async () => {
    expect(judge(RULES, await stack(), STRICT)).toEqual([]);
  });

  test("refuses it without Cilium", async () => {
    const resources = (await stack()).filter(({ type }) => type !== TYPES.release);
    expect(refusing(resources)).toEqual(["cluster-encrypted"]);
  });

  test("refuses it with a Cilium that does not encrypt", async () => {
    const plain = changed(await stack(), TYPES.release, ({ values, ...props }) => ({
      ...props,
      values: without("encryption")(values as Tree),
    }));
    expect(refusing(plain)).toEqual(["cilium-encryption-enabled", "cluster-encrypted"]);
  });

  test("refuses it with the add-ons that EKS brings", async () => {
    const born = changed(await stack(), TYPES.cluster, without("bootstrapSelfManagedAddons"));
    expect(refusing(born)).toEqual(unlessChained("default-cni-disabled"));
  });

  test("refuses it with Amazon's CNI as an add-on", async () => {
    const resources = await stack();
    const [dns] = resources.filter(({ type }) => type === TYPES.addon);
    if (!dns) throw new Error("no add-on");
    const cni = { ...dns, urn: "urn:cni", name: "cni", props: { ...dns.props, addonName: "vpc-cni" } };
    expect(refusing([...resources, cni])).toEqual(unlessChained("default-cni-disabled"));
  });

  test("refuses it where nodes take pods before Cilium runs on them", async () => {
    expect(refusing(changed(await stack(), TYPES.nodeGroup, without("taints")))).toEqual(["nodes-wait-for-cilium"]);
  });

  test("refuses it where pods can take nodes' credentials", async () => {
    const open = changed(await stack(), TYPES.template, without("metadataOptions"));
    expect(refusing(open)).toEqual(["node-credentials-kept"]);
  });

  test("refuses it where the IPsec key is not encrypted with a key of one's own", async () => {
    const rules = encryption === "ipsec" ? ["ipsec-key-at-rest"] : [];
    expect(refusing(changed(await stack(), TYPES.cluster, without("encryptionConfig")))).toEqual(rules);
  });
});

test("the policy pack refuses an EKS stack without its guard", async () => {
  expect(refusing(await resourcesOf("eni", "wireguard", { guard: false }))).toEqual(["wirecloak-guard"]);
});
