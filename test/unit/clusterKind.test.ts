import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "yaml";
import type { NodeContainer } from "../../components/cluster/docker.ts";
import { kindConfig } from "../../components/cluster/kindConfig.ts";
import { type KindSpec, kindNodeNames, kindSpec, NODE_IMAGE } from "../../components/cluster/kindSpec.ts";
import { type KindRecord, networkOf, standingOf } from "../../components/cluster/kindState.ts";
import { identityOf, replacementOf } from "../../components/cluster/replacement.ts";
import type { KindSettings } from "../../components/settings.ts";

const settings: KindSettings = {
  provider: "kind",
  name: "dev",
  workers: 3,
  podCidr: "10.244.0.0/16",
  serviceCidr: "10.96.0.0/12",
};
const spec = kindSpec(settings, true);

describe("kind's config file", () => {
  test("asks for no CNI, no kube-proxy, our ranges, the pinned image, and a boot id of its own on each node", () => {
    expect(kindConfig(spec, "/state/boot-id")).toMatchSnapshot();
  });

  test("keeps kube-proxy where Cilium does not replace it", () => {
    const { networking } = parse(kindConfig(kindSpec(settings, false), "/b"));
    expect(networking.kubeProxyMode).toBe("iptables");
  });

  const specs: fc.Arbitrary<KindSpec> = fc.record({
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/),
    workers: fc.integer({ min: 0, max: 50 }),
    podCidr: fc.constant("10.0.0.0/16"),
    serviceCidr: fc.constant("10.96.0.0/12"),
    image: fc.string({ minLength: 1 }),
    kubeProxyMode: fc.constantFrom("iptables" as const, "none" as const),
  });

  test("has one control plane and every worker, each with a boot id file that no other node has, whatever the spec", () => {
    fc.assert(
      fc.property(specs, (any) => {
        const { nodes, networking, name } = parse(kindConfig(any, "/b"));
        const roles = nodes.map(({ role }: { role: string }) => role);
        expect(roles).toEqual(["control-plane", ...Array(any.workers).fill("worker")]);
        const bootIds = nodes.map(
          ({ extraMounts }: { extraMounts: { hostPath: string }[] }) => extraMounts[0]?.hostPath,
        );
        expect(new Set(bootIds).size).toBe(any.workers + 1);
        expect(bootIds).toEqual(kindNodeNames(any).map((node) => `/b/${node}`));
        expect(nodes.every(({ image }: { image: string }) => image === any.image)).toBe(true);
        expect(networking.disableDefaultCNI).toBe(true);
        expect(name).toBe(any.name);
      }),
    );
  });

  test("names the nodes as kind does", () => {
    expect(kindNodeNames({ name: "dev", workers: 3 })).toEqual([
      "dev-control-plane",
      "dev-worker",
      "dev-worker2",
      "dev-worker3",
    ]);
  });

  test("has a node image with a digest, since a tag may be built anew", () => {
    expect(NODE_IMAGE).toMatch(/^kindest\/node:v\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$/);
  });
});

describe("how a cluster stands", () => {
  const owner = "us";
  const record: KindRecord = { provider: "kind", incarnation: "i", spec, made: true };
  const nodes = (change: Partial<NodeContainer> = {}): NodeContainer[] =>
    kindNodeNames(spec).map((name) => ({ name, running: true, networks: [networkOf("dev")], ...change }));
  const network = { owner };
  const halfMade = { ...record, made: false };

  type Seen = Omit<Parameters<typeof standingOf>[1], "owner"> & { wanted?: KindSpec };
  test.each<[string, string, Seen]>([
    ["absent", "there is nothing of its name", { docker: { nodes: [] }, record: undefined }],
    ["complete", "it is recorded, and all its nodes run", { docker: { nodes: nodes(), network }, record }],
    [
      "stopped",
      "its nodes are there and do not run",
      { docker: { nodes: nodes({ running: false }), network }, record },
    ],
    [
      "other",
      "it is recorded with another spec",
      { docker: { nodes: nodes(), network }, record, wanted: { ...spec, workers: 1 } },
    ],
    ["half-made", "a run was killed before it had made anything", { docker: { nodes: [] }, record: halfMade }],
    ["half-made", "a run was killed before kind began", { docker: { nodes: [], network }, record: halfMade }],
    [
      "half-made",
      "a run was killed while kind made nodes",
      { docker: { nodes: nodes().slice(0, 2), network }, record: halfMade },
    ],
    [
      "half-made",
      "a run was killed before it was recorded as made",
      { docker: { nodes: nodes(), network }, record: halfMade },
    ],
    ["half-made", "its record is lost", { docker: { nodes: nodes(), network }, record: undefined }],
    ["half-made", "a node has gone", { docker: { nodes: nodes().slice(1), network }, record }],
    ["half-made", "all of it but the network has gone", { docker: { nodes: [], network }, record }],
    ["half-made", "all of it has gone but the record", { docker: { nodes: [] }, record }],
    [
      "foreign",
      "its network carries no label of ours",
      { docker: { nodes: nodes(), network: { owner: "" } }, record: undefined },
    ],
    [
      "foreign",
      "its network is another checkout's",
      { docker: { nodes: nodes(), network: { owner: "them" } }, record: undefined },
    ],
    [
      "foreign",
      "a cluster of that name is on kind's own network",
      { docker: { nodes: nodes({ networks: ["kind"] }) }, record: undefined },
    ],
    [
      "foreign",
      "a cluster of that name was made by hand after a run of ours was killed",
      { docker: { nodes: nodes({ networks: ["kind"] }), network }, record: halfMade },
    ],
  ])("is %s where %s", (standing, _why, { wanted, ...seen }: Seen) => {
    expect(standingOf(wanted ?? spec, { ...seen, owner })).toBe(standing);
  });
});

describe("what replaces a cluster", () => {
  test.each<[string, KindSettings, boolean, object]>([
    ["the workers", { ...settings, workers: 4 }, true, { setting: "wirecloak:cluster.workers", from: 3, to: 4 }],
    [
      "the pods' range",
      { ...settings, podCidr: "10.1.0.0/16" },
      true,
      { setting: "wirecloak:cluster.podCidr", from: "10.244.0.0/16", to: "10.1.0.0/16" },
    ],
    [
      "the services' range",
      { ...settings, serviceCidr: "10.2.0.0/16" },
      true,
      { setting: "wirecloak:cluster.serviceCidr", from: "10.96.0.0/12", to: "10.2.0.0/16" },
    ],
    [
      "the image",
      { ...settings, image: "mine" },
      true,
      { setting: "wirecloak:cluster.image", from: NODE_IMAGE, to: "mine" },
    ],
    ["kube-proxy", settings, false, { setting: "wirecloak:cilium.kubeProxyReplacement", from: "none", to: "iptables" }],
  ])("of kind: %s, named by its setting", (_what, wanted, kubeProxyReplacement, replacement) => {
    expect(replacementOf(spec, identityOf(wanted, kubeProxyReplacement))).toEqual([replacement]);
  });

  test("of a rehearsal: not the workers", () => {
    const before = {
      provider: "rehearsal",
      name: "r",
      workers: 3,
      podCidr: "10.244.0.0/16",
      serviceCidr: "10.96.0.0/12",
    } as const;
    expect(replacementOf(before, identityOf({ ...before, workers: 9 }))).toEqual([]);
    expect(replacementOf(before, identityOf({ ...before, podCidr: "10.9.0.0/16" }))).toHaveLength(1);
  });

  test("nothing does where nothing changes, and a record of an earlier Wirecloak that tells less counts as unchanged", () => {
    expect(replacementOf(spec, spec)).toEqual([]);
    expect(replacementOf({ name: "dev" }, spec)).toEqual([]);
  });
});

test("the pinned node image is that of the pinned kind", () => {
  // The image is kind's own default, so a new kind asks for a look at it.
  const goMod = readFileSync(join(__dirname, "../../tools/go/kwok/go.mod"), "utf8");
  expect(goMod).toContain("sigs.k8s.io/kind v0.33.0");
});
