import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { isGivenVpc } from "../../components/settingsEks.ts";
import { projectRoot } from "../../tools/paths.ts";
import { load } from "./components/config.ts";

/** The settings of a config file of this project, and what they are warned of. */
function read(file: string) {
  const { config } = parse(readFileSync(join(projectRoot, file), "utf8")) as { config: Record<string, unknown> };
  const { settings, warnings } = load(config);
  if (settings.cluster.provider !== "eks") throw new Error(`${file} is of ${settings.cluster.provider}`);
  return { settings, cluster: settings.cluster, warned: warnings.map(({ key }) => key) };
}

test("the committed stack of EKS is small, encrypted and guarded, and can be deleted", () => {
  const { settings, cluster, warned } = read("Pulumi.eks.yaml");
  expect(settings).toMatchObject({ encryption: "wireguard", guard: true, admission: true });
  expect(cluster).toMatchObject({ network: "eni", protect: false, vpc: { natGateways: "one" } });
  expect(Object.values(cluster.nodeGroups)).toMatchObject([{ nodes: 2, instanceTypes: ["t3.medium"] }]);
  expect(warned).toEqual(["wirecloak:cluster.endpoint.allowedCidrs"]);
});

describe("examples of EKS", () => {
  test("a new cluster, in a VPC of its own", () => {
    const { settings, cluster } = read("examples/eks-new/stack.yaml");
    expect(settings.encryption).toBe("wireguard");
    expect(isGivenVpc(cluster)).toBe(false);
  });

  test("a given VPC, with strict mode for the pods' own range", () => {
    const { settings, cluster } = read("examples/eks-given-vpc/stack.yaml");
    expect(settings).toMatchObject({ encryption: "ipsec", strict: true });
    expect(isGivenVpc(cluster)).toBe(true);
    expect(cluster.podCidr).not.toBe(cluster.vpc.cidr);
  });

  test("a private cluster, which nobody from outside reaches and nobody deletes by mistake", () => {
    const { cluster, warned } = read("examples/eks-private/stack.yaml");
    expect(cluster).toMatchObject({ endpoint: { public: false }, protect: true });
    expect(warned).toEqual([]);
  });
});
