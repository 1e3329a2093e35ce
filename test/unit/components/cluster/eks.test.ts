import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingSdk } from "../../../../components/cluster/cloud.ts";
import { type Aws, findEks } from "../../../../components/cluster/eksFound.ts";
import { eksKubeconfig } from "../../../../components/cluster/eksKubeconfig.ts";
import { readKubeconfig } from "../../../../components/cluster/kubeconfig.ts";
import { type Live, readLive } from "../../../../components/live/live.ts";
import { UserError } from "../../../../components/userError.ts";
import { checkEks } from "../../../../doctor/eks.ts";
import { runCommand } from "../../../../tools/command.ts";
import { clusterFiles, projectRoot, stateDir } from "../../../../tools/paths.ts";
import { machine } from "../../doctorProbes.ts";
import { settingsOf } from "../config.ts";
import { liveCluster } from "../live/liveCluster.ts";

const cluster = { name: "prod", region: "eu-west-1" };
const target = { ...cluster, endpoint: "https://api.example", certificateAuthority: "Q0E=" };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The AWS CLI, which says this. */
function saying(described: object | string): { aws: Aws; asked: string[][] } {
  const asked: string[][] = [];
  const answer =
    typeof described === "string"
      ? { code: 254, stdout: "", stderr: described }
      : { code: 0, stdout: JSON.stringify({ cluster: described }), stderr: "" };
  const aws: Aws = async (args) => {
    asked.push(args);
    return answer;
  };
  return { aws, asked };
}

const active = { status: "ACTIVE", endpoint: target.endpoint, certificateAuthority: { data: "Q0E=" } };

describe("the cluster of an EKS stack, as AWS describes it", () => {
  test("is found by name and region", async () => {
    const { aws, asked } = saying(active);
    expect(await findEks(cluster, aws)).toEqual(target);
    expect(asked).toEqual([["--region", "eu-west-1", "eks", "describe-cluster", "--name", "prod", "--output", "json"]]);
  });

  test.each<[string, object | string]>([
    ["there is none", "An error occurred (ResourceNotFoundException) when calling DescribeCluster: No cluster found"],
    ["it is still made", { status: "CREATING" }],
    ["it goes", { ...active, status: "DELETING" }],
  ])("is none where %s", async (_, described) => {
    expect(await findEks(cluster, saying(described).aws)).toBeUndefined();
  });

  test("is unknown without credentials, which is not the same as none", async () => {
    const { aws } = saying("\nUnable to locate credentials. You can configure credentials by running aws login.\n");
    await expect(findEks(cluster, aws)).rejects.toThrow(/prod.*\n.*does not say.*Unable to locate credentials/);
    await expect(findEks(cluster, aws)).rejects.toBeInstanceOf(UserError);
  });
});

describe("the live cluster of an EKS stack", () => {
  const settings = settingsOf({ cluster: { provider: "eks", ...cluster } });
  const state = process.env.WIRECLOAK_STATE_DIR;
  const kubeconfig = () => clusterFiles(stateDir(), "prod").kubeconfig;
  const live: Live = liveCluster("wireguard");
  beforeEach(() => {
    process.env.WIRECLOAK_STATE_DIR = folder;
  });
  afterEach(() => {
    if (state === undefined) delete process.env.WIRECLOAK_STATE_DIR;
    else process.env.WIRECLOAK_STATE_DIR = state;
  });

  test("made from another machine is read all the same, by a kubeconfig for this user's eyes only", async () => {
    const read: string[] = [];
    const look = async (place: { kubeconfig: string }) => {
      read.push(readFileSync(place.kubeconfig, "utf8"));
      return live;
    };
    expect(await readLive(settings, look, async () => target)).toBe(live);
    expect(read).toEqual([eksKubeconfig(target)]);
    expect(statSync(kubeconfig()).mode & 0o777).toBe(0o600);
  });

  test("is none before the first update, and nothing is read then: not the shell's cluster either", async () => {
    const look = () => Promise.reject(new Error("nothing is to be read"));
    expect(await readLive(settings, look, async () => undefined)).toBeUndefined();
  });

  test("is not asked for in AWS where the provider is another one", async () => {
    const find = () => Promise.reject(new Error("nothing is to be asked"));
    expect(await readLive(settingsOf({ cluster: { name: "prod" } }), async () => live, find)).toBeUndefined();
  });
});

describe("the kubeconfig", () => {
  test("is one that our own reader takes, with the cluster's API server", () => {
    const file = join(folder, "kubeconfig");
    writeFileSync(file, eksKubeconfig(target));
    expect(readKubeconfig(file)).toMatchObject({ context: "prod", apiServer: { host: "api.example", port: 443 } });
  });

  test("is written for this user's eyes only, and taken away", async () => {
    const file = join(folder, "new", "kubeconfig");
    const run = (command: string) =>
      runCommand(process.execPath, [join(projectRoot, "components/cluster/kubeconfigFile.ts"), command, file], {
        ...{ cwd: folder, env: process.env, input: "the kubeconfig" },
      });
    expect(await run("write")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(readFileSync(file, "utf8")).toBe("the kubeconfig");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await run("delete")).toMatchObject({ code: 0 });
    expect(() => statSync(file)).toThrow(/ENOENT/);
    expect(await run("delete")).toMatchObject({ code: 0 });
  });
});

describe("what an EKS cluster needs on this machine", () => {
  const settings = settingsOf({ cluster: { provider: "eks" } });
  const found = (sdk?: ReturnType<typeof missingSdk>) => {
    if (settings.cluster.provider !== "eks") throw new Error("not EKS");
    return checkEks(settings, settings.cluster, machine([], { env: { PATH: folder } }), { sdk });
  };

  test("is the cloud's SDK: where it is missing, one error with the command that brings it", async () => {
    // Nothing is installed beside a folder of its own.
    const missing = missingSdk("eks", folder);
    expect(missing).toMatchObject({ value: "eks", fix: "./bin/setup eks" });
    const errors = (await found(missing)).filter(({ what }) => what === "AWS SDK");
    expect(errors).toEqual([expect.objectContaining({ level: "error", fix: "./bin/setup eks" })]);
  });

  test("is the AWS CLI, which the kubeconfig has ask for a token", async () => {
    const levels = async () => (await found()).map(({ what, level }) => [what, level]);
    expect(await levels()).toContainEqual(["AWS CLI", "error"]);
    writeFileSync(join(folder, "aws"), "#!/bin/sh\n", { mode: 0o755 });
    expect(await levels()).toContainEqual(["AWS CLI", "ok"]);
  });
});
