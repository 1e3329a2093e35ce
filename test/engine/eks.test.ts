import { join } from "node:path";
import { missingSdk } from "../../components/cluster/cloud.ts";
import { projectRoot } from "../../tools/paths.ts";
import { describeUnless } from "../skip.ts";
import { EksStack, type Step } from "./eksStack.ts";
import { withoutEngine } from "./engineStack.ts";
import { FakeApi } from "./fakeApi.ts";

jest.setTimeout(120_000);

const pack = ["--policy-pack", join(projectRoot, "policies/launch")];

/** What is in the cluster or carries it, and must outlive any change of encryption, keys and numbers. */
const LASTING = [
  "aws:eks/cluster:Cluster",
  "aws:eks/nodeGroup:NodeGroup",
  "aws:ec2/launchTemplate:LaunchTemplate",
  "aws:ec2/vpc:Vpc",
  "aws:ec2/subnet:Subnet",
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:kms/key:Key",
];

describeUnless(
  withoutEngine ?? missingSdk("eks")?.message,
  "a stack on EKS, where a stand-in takes AWS's place",
  () => {
    let stack: EksStack;
    beforeAll(async () => {
      stack = new EksStack();
      await stack.poison();
    });
    afterAll(() => stack.close());

    describe("is refused in a preview by one error, without a stack trace and before any resource", () => {
      /** A cluster that others made. */
      const other = new FakeApi();
      beforeAll(() => other.start());
      afterAll(() => other.stop());

      /** The error with which a preview ends. */
      async function refused(): Promise<string> {
        const { code, output } = await stack.run("preview", "--non-interactive");
        expect(code).not.toBe(0);
        const [, diagnostics = ""] = output.split("Diagnostics:");
        const errors = diagnostics.split(/^ +error: /m).slice(1);
        expect(errors).toHaveLength(1);
        expect(output).not.toMatch(/unhandled|\n\s+at .*[jt]s:\d+/);
        expect(stack.resources()).toEqual([]);
        return errors[0] ?? "";
      }

      test("IPsec behind Amazon's CNI, and a version of Kubernetes that Cilium is not tested with", async () => {
        stack.configureEks({ "wirecloak:encryption": "ipsec" }, { network: "chaining", kubernetes: "1.29" });
        const error = await refused();
        expect(error).toMatch(
          /^wirecloak:encryption = "ipsec"\n.*no IPsec behind another CNI.*\n +allowed: wireguard, or.*\n +fix: +pulumi config set/,
        );
        expect(error).toMatch(
          /^ *wirecloak:cluster.kubernetes = "1.29"\n.*not tested.*\n +allowed: 1.\d\d to 1.\d\d with Cilium.*\n +fix: +pulumi config set/m,
        );
      });

      test("given subnets that the guard would take for the world's: all of them in one error", async () => {
        const subnetIds = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"];
        stack.configureEks({}, { vpc: { id: "vpc-0123456789abcdef0", subnetIds, nodeRanges: ["10.9.0.0/17"] } });
        const error = await refused();
        for (const id of subnetIds) expect(error).toContain(`Subnet ${id} has 10.8.32.0/20`);
      });

      // How the cloud of each is told by these facts is managedDataplane.test.ts's.
      test.each([
        [
          "GKE Autopilot",
          {
            nodes: [
              { metadata: { name: "gk3-prod-default-pool-0" }, spec: { providerID: "gce://prod/zone/gk3-prod" } },
            ],
            daemonSets: [{ metadata: { name: "anetd" } }],
          },
          "GKE Standard",
        ],
        [
          "Azure CNI powered by Cilium",
          {
            daemonSets: [
              {
                metadata: { name: "cilium" },
                spec: { template: { metadata: { labels: { "kubernetes.azure.com/ebpf-dataplane": "cilium" } } } },
              },
            ],
          },
          "network plugin none",
        ],
      ])("an existing cluster with %s, and what it offers itself is said", async (name, cluster, instead) => {
        other.cluster = cluster;
        const kubeconfig = stack.file("kubeconfig-of-others", other.kubeconfig());
        stack.configure({ "wirecloak:cluster": { provider: "existing", name: "t", kubeconfig } });
        const error = await refused();
        expect(error).toMatch(
          new RegExp(`\\n.*This cluster runs ${name}: its Cilium is the cloud's.*\\n +fix: .*${instead}`),
        );
      });
    });

    describe("before anything of it is there", () => {
      test("keeps the policy pack's rules in its preview, and touches no cluster of the shell's", async () => {
        stack.configureEks({ "wirecloak:watch": true });
        const { code, output } = await stack.run("preview", "--non-interactive", ...pack);
        expect(output).toContain("a stand-in for tests: nothing is made in AWS");
        expect(output).toContain("wirecloak@");
        expect(output).not.toContain("[mandatory]");
        expect(code).toBe(0);
        expect(output).toMatch(/kubeconfigPath *: \[unknown\]/);
        expect(stack.connections).toBe(0);
        expect(stack.credentialsAskedFor).toBe(false);
      });

      test("which would have been seen: kubectl in the same shell does touch it", async () => {
        expect((await stack.kubectlOfShell("get", "--raw", "/version")).code).not.toBe(0);
        expect(stack.credentialsAskedFor).toBe(true);
        expect(stack.connections).toBeGreaterThan(0);
      });

      test("is refused by the pack where it would not be encrypted", async () => {
        const allowPlaintext = { reason: "a test of the policy pack", until: "2099-01-01" };
        stack.configureEks({ "wirecloak:encryption": "none", "wirecloak:allowPlaintext": allowPlaintext });
        const refuse = { allowPlaintext: "refuse" };
        const config = stack.file("policies.json", {
          "cilium-encryption-enabled": refuse,
          "cluster-encrypted": refuse,
        });
        const strict = [...pack, "--policy-pack-config", config];
        const { code, output } = await stack.run("preview", "--non-interactive", ...strict);
        expect(output).toMatch(/\[mandatory\].* cilium-encryption-enabled /);
        expect(output).toMatch(/\[mandatory\].* cluster-encrypted .*Cluster: t-cluster/);
        expect(code).not.toBe(0);
      });
    });

    describe("once it is there", () => {
      const ipsec = { "wirecloak:encryption": "ipsec" };
      beforeAll(async () => {
        stack.standInForAll();
        stack.configureEks(ipsec);
        const { code, output } = await stack.run("up", "--yes", "--skip-preview", "--non-interactive", ...pack);
        expect(output).not.toContain("[mandatory]");
        expect(code).toBe(0);
        // All that must outlive the changes below is there.
        expect(stack.resources().map(({ type }) => type)).toEqual(expect.arrayContaining(LASTING));
      });

      test("a change of its mode touches nothing that lasts; the new mode's rules come before Cilium changes, and the old one's go last", async () => {
        stack.configureEks({ "wirecloak:encryption": "wireguard" });
        const steps = await stack.plan();
        expect(lost(steps)).toEqual([]);
        const place = (op: string, name: RegExp) => places(steps, op, name);
        const [came, changed, went] = [
          place("create", /::t-guard-wireguard-/),
          place("update", /::cilium-release$/),
          place("delete", /::t-guard-ipsec-/),
        ];
        expect([came, changed, went].map(({ length }) => length)).toEqual([2, 1, 2]);
        expect(Math.max(...came)).toBeLessThan(Math.min(...changed));
        expect(Math.max(...places(steps, "update", /./))).toBeLessThan(Math.min(...went));
      });

      test("nor does a new key, or another number of nodes, which their group is scaled to in place", async () => {
        stack.configureEks({ ...ipsec, "wirecloak:ipsec": { keyId: 4 } }, { nodeGroups: { workers: { nodes: 3 } } });
        const steps = await stack.plan();
        expect(lost(steps)).toEqual([]);
        expect(places(steps, "create", /::cilium-psk-4-128$/)).toHaveLength(1);
        const inAws = steps.filter(({ op, urn }) => op !== "same" && /\$aws:[^$]+$/.test(urn));
        expect(inAws).toEqual([
          expect.objectContaining({ op: "update", urn: expect.stringMatching(/::t-nodes-workers$/) }),
        ]);
      });

      test("which would show: another range of the VPC replaces all of it but the key", async () => {
        stack.configureEks(ipsec, { vpc: { cidr: "10.64.0.0/16" } });
        expect(lost(await stack.plan())).toEqual(LASTING.filter((type) => type !== "aws:kms/key:Key"));
      });
    });
  },
);

/** The types of what lasts that a plan would delete or replace. */
function lost(steps: readonly Step[]): string[] {
  const gone = steps.filter(({ op }) => op.includes("delete") || op.includes("replace"));
  return LASTING.filter((type) => gone.some(({ urn }) => urn.includes(`$${type}::`)));
}

/** Where in a plan there are steps of a kind with resources of such names. */
function places(steps: readonly Step[], op: string, name: RegExp): number[] {
  return steps.flatMap((step, index) => (step.op === op && name.test(step.urn) ? [index] : []));
}
