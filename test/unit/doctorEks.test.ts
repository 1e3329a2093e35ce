import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resourceOf } from "../../doctor/eks/actions.ts";
import { checkEks, judgeIdentity } from "../../doctor/eks.ts";
import { realProbes } from "../../doctor/probes.ts";
import { settingsOf } from "./components/config.ts";
import { type Answers, machine } from "./doctorProbes.ts";

const RECORDED = join(import.meta.dirname, "doctorEks");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const given = {
  id: "vpc-0123456789abcdef0",
  cidr: "10.20.0.0/16",
  subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
  nodeRanges: ["10.20.0.0/18"],
};

/** What the doctor finds in an account that answers as recorded, but for `change`: files by name, null where there is none. */
async function inAccount(cluster: object, change: Record<string, string | object | null> = {}, how = {}) {
  const answers = join(folder, "answers");
  cpSync(join(RECORDED, "answers"), answers, { recursive: true });
  for (const [name, content] of Object.entries(change)) {
    if (content === null) rmSync(join(answers, name));
    else writeFileSync(join(answers, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  const settings = settingsOf({ cluster: { provider: "eks", ...cluster } });
  if (settings.cluster.provider !== "eks") throw new Error("not EKS");
  const env = { PATH: `${join(RECORDED, "bin")}:${process.env.PATH}`, AWS_ANSWERS: answers };
  const findings = await checkEks(settings, settings.cluster, realProbes(env), how);
  const asked = join(answers, "asked");
  return {
    asked: existsSync(asked) ? readFileSync(asked, "utf8").trim().split("\n") : [],
    wrong: findings.filter(({ level, what }) => level !== "ok" && what !== "AWS SDK"),
    about: (what: string) => findings.filter((finding) => finding.what === what),
  };
}

const error = (code: string, said = "no") => `An error occurred (${code}) when calling the X operation: ${said}`;
const there = (version: string, subnetIds: string[] = []) => ({
  "eks.describe-cluster.error": null,
  "eks.describe-cluster.json": {
    cluster: { name: "dev", status: "ACTIVE", version, resourcesVpcConfig: { subnetIds } },
  },
});

describe("an account that has what the settings need", () => {
  test.each([
    ["a new VPC", {}],
    ["a VPC that is there", { vpc: given }],
    ["an overlay in a VPC that is there", { vpc: given, network: "overlay", podCidr: "100.64.0.0/16" }],
  ])("has nothing wrong with %s, and is told what was looked at", async (_, cluster) => {
    const { wrong, about } = await inAccount(cluster);
    expect(wrong).toEqual([]);
    const told = [
      "permissions",
      "quota of EKS clusters",
      "Kubernetes version",
      "kernel of the nodes",
      "node group workers",
      "MTU",
    ];
    for (const what of told) expect(about(what)).toMatchObject([{ level: "ok" }]);
  });

  test("is asked for each thing once, and the path of an assumed role is not guessed", async () => {
    const { asked } = await inAccount({});
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked.filter((line) => line.includes("simulate"))).toEqual([
      expect.stringContaining("--policy-source-arn arn:aws:iam::111122223333:role/teams/ops --action-names"),
    ]);
  });
});

describe("nothing is made", () => {
  const variants = [{}, { vpc: given }, { network: "chaining", admins: ["arn:aws:iam::111122223333:role/x"] }];
  test.each(variants)("every question reads, or is a dry run: %j", async (cluster) => {
    const { asked } = await inAccount(cluster, { denied: "eks:CreateCluster\niam:CreateRole\n" });
    expect(asked.length).toBeGreaterThan(10);
    const changing = asked.filter((line) => !/^--region \S+ [a-z0-9-]+ (?:get|describe|list|simulate)-/.test(line));
    expect(changing.length).toBeGreaterThan(0);
    for (const line of changing) expect(line).toMatch(/^--region us-west-2 ec2 [a-z-]+ --dry-run /);
  });
});

describe("permissions", () => {
  test("what AWS refuses in a dry run is an error, whatever a simulation says", async () => {
    const { about } = await inAccount({}, { "ec2.create-vpc.error": error("UnauthorizedOperation") });
    expect(about("permissions")).toMatchObject([
      {
        level: "error",
        evidence: expect.stringMatching(/ops\/me may not do 1 of .*: ec2:CreateVpc\./),
        fix: expect.anything(),
      },
    ]);
  });

  test("what IAM denies on all resources is asked again on the one that it will be on", async () => {
    const { about, asked } = await inAccount({}, { denied: "eks:CreateCluster\n" });
    expect(about("permissions")).toMatchObject([
      { level: "error", evidence: expect.stringMatching(/: eks:CreateCluster\./) },
    ]);
    expect(
      asked.filter((line) => line.includes("--resource-arns arn:aws:eks:us-west-2:111122223333:cluster/dev")),
    ).toHaveLength(1);
  });

  test("where simulating is denied the dry runs still count, and the rest is said not to be checked", async () => {
    const { about } = await inAccount({}, { "iam.simulate-principal-policy.error": error("AccessDenied") });
    expect(about("permissions")).toMatchObject([
      { level: "warning", evidence: expect.stringMatching(/^Not checked: \d+ actions: .*AccessDenied/) },
    ]);
  });
});

describe("what may not be asked is not fine", () => {
  test.each([
    ["service-quotas.get-service-quota.L-F678F1CE.json", "quotas", /^Not checked: VPCs: .*AccessDenied/],
    ["ec2.describe-instances.json", "quotas", /^Not checked: vCPUs of standard on-demand instances: .*AccessDenied/],
    ["eks.describe-cluster-versions.json", "Kubernetes version", /^Not checked/],
    ["ec2.describe-instance-types.json", "node group workers", /not checked/],
    ["ec2.describe-instance-type-offerings.json", "node group workers", /not checked/],
    ["eks.describe-cluster.error", "AWS account", /^Not checked: whether cluster dev is there/],
  ])("without an answer of %s", async (file, what, said) => {
    const { wrong } = await inAccount({}, { [file]: null });
    expect(wrong).toContainEqual(
      expect.objectContaining({ level: "warning", what, evidence: expect.stringMatching(said) }),
    );
    expect(wrong.every(({ level }) => level === "warning")).toBe(true);
  });

  test.each([
    "ec2.describe-subnets.json",
    "ec2.describe-route-tables.json",
    "ec2.describe-vpc-attribute.enableDnsSupport.json",
  ])("of a VPC that is there, without an answer of %s", async (file) => {
    const { about } = await inAccount({ vpc: given }, { [file]: null });
    expect(about("VPC")).toMatchObject([
      { level: "warning", evidence: expect.stringMatching(/^Not all of it is checked/) },
    ]);
  });

  test("nor are offerings, where the zones of the subnets are not known", async () => {
    const { about } = await inAccount({ vpc: given }, { "ec2.describe-subnets.json": null });
    expect(about("node group workers")).toMatchObject([
      { level: "warning", evidence: expect.stringMatching(/not checked/) },
    ]);
  });

  test("without credentials nothing more is asked, which is said", async () => {
    const { asked, wrong } = await inAccount({}, { "sts.get-caller-identity.json": null });
    expect(wrong.map(({ what, level }) => [what, level])).toEqual([
      ["AWS credentials", "error"],
      ["AWS account", "warning"],
    ]);
    expect(asked).toHaveLength(2);
  });
});

test("an update, which comes after a look, asks only whose the credentials are", async () => {
  const { asked, wrong } = await inAccount({}, {}, { account: false });
  expect(asked.map((line) => line.split(" ")[3])).toEqual(["get-caller-identity"]);
  expect(wrong).toEqual([]);
});

describe("a cluster that is there", () => {
  test("costs two questions where nothing changes", async () => {
    const { asked, wrong, about } = await inAccount({ vpc: given }, there("1.34", [...given.subnetIds].reverse()));
    expect(asked.map((line) => line.split(" ")[3]).sort()).toEqual(["describe-cluster", "get-caller-identity"]);
    expect(wrong).toEqual([]);
    expect(about("cluster dev")).toMatchObject([{ level: "ok" }]);
  });

  test("is asked for the version that it goes to", async () => {
    const { wrong, asked } = await inAccount({ kubernetes: "1.33" }, there("1.32"));
    expect(asked).toHaveLength(3);
    expect(wrong).toMatchObject([{ level: "warning", what: "Kubernetes version" }]);
  });

  test("is asked for its VPC where the settings name other subnets", async () => {
    const { asked } = await inAccount({ vpc: given }, there("1.34", ["subnet-0aaaaaaaaaaaaaaaa"]));
    expect(asked.some((line) => line.includes("describe-subnets"))).toBe(true);
    expect(asked.some((line) => line.includes("simulate") || line.includes("dry-run"))).toBe(false);
  });
});

test("a VPC that is not there is one error, though several questions stumble over it", async () => {
  const gone = error("InvalidVpcID.NotFound", "The vpc ID 'vpc-0123456789abcdef0' does not exist");
  const files = [
    "ec2.describe-vpcs",
    "ec2.describe-vpc-attribute.enableDnsSupport",
    "ec2.describe-vpc-attribute.enableDnsHostnames",
  ];
  const change = Object.fromEntries(files.map((file) => [`${file}.error`, gone.replace("the X", `the ${file}`)]));
  const { about } = await inAccount({ vpc: given }, change);
  expect(about("VPC")).toMatchObject([
    { level: "error", evidence: "The vpc ID 'vpc-0123456789abcdef0' does not exist" },
  ]);
});

test("what an update that was cut short has made counts as what this one needs", async () => {
  const vpcs = (tag: string) =>
    Array.from({ length: 5 }, (_, index) => ({
      VpcId: `vpc-${index}`,
      Tags: [{ Key: "wirecloak:cluster", Value: index === 0 ? tag : "x" }],
    }));
  const quota = async (tag: string) =>
    (await inAccount({}, { "ec2.describe-vpcs.json": { Vpcs: vpcs(tag) } })).about("quota of VPCs");
  expect(await quota("dev")).toMatchObject([{ level: "ok" }]);
  rmSync(join(folder, "answers"), { recursive: true });
  expect(await quota("other")).toMatchObject([
    {
      level: "error",
      evidence: "5 of 5 are used in us-west-2, and this cluster needs 1.",
      fix: expect.stringContaining("--desired-value 6"),
    },
  ]);
});

test("a policy is asked about resources of the partition that the region is in", () => {
  const cluster = settingsOf({ cluster: { provider: "eks", region: "cn-north-1" } }).cluster;
  if (cluster.provider !== "eks") throw new Error("not EKS");
  expect(resourceOf("cluster", cluster, "111122223333")).toBe("arn:aws-cn:eks:cn-north-1:111122223333:cluster/dev");
});

test("without the CLI nobody is asked, and how to get it is said", async () => {
  const settings = settingsOf({ cluster: { provider: "eks" } });
  if (settings.cluster.provider !== "eks") throw new Error("not EKS");
  const known: Answers = [[/^aws/, { stdout: "{}" }]];
  const probes = machine(known, { env: { PATH: folder } });
  const findings = await checkEks(settings, settings.cluster, probes);
  expect(findings.at(-1)).toMatchObject({ level: "error", what: "AWS CLI", fix: expect.stringContaining("install") });
  expect(probes.ran).toEqual([]);
});

test("credentials that AWS does not know are an error", () => {
  expect(judgeIdentity({ code: "ExpiredToken", said: "An error occurred (ExpiredToken)" })).toMatchObject({
    level: "error",
    evidence: expect.stringContaining("ExpiredToken"),
  });
});

test.each([
  ["none", "\nUnable to locate credentials. You can configure credentials by running ...", /Unable to locate/],
  ["old ones", `\n${error("ExpiredToken", "expired")}`, /ExpiredToken/],
])("whoever has no credentials is told in AWS's words: %s", async (_, stderr, said) => {
  writeFileSync(join(folder, "aws"), "");
  chmodSync(join(folder, "aws"), 0o755);
  const settings = settingsOf({ cluster: { provider: "eks" } });
  if (settings.cluster.provider !== "eks") throw new Error("not EKS");
  const probes = machine([[/^aws/, { code: 253, stderr }]], { env: { PATH: folder } });
  const findings = await checkEks(settings, settings.cluster, probes);
  expect(findings.filter(({ what }) => what === "AWS credentials")).toMatchObject([
    { level: "error", evidence: expect.stringMatching(said) },
  ]);
});
