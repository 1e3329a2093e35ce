import { missingSdk } from "../components/cluster/cloud.ts";
import type { EksSettings } from "../components/settings.ts";
import type { CommandResult } from "../tools/command.ts";
import { findOnPath } from "../tools/onPath.ts";
import { error, type Finding, ok } from "./finding.ts";
import type { Probes } from "./probes.ts";

/** AWS answers from far away, and a login that has run out is asked for anew. */
const LIMIT_MS = 20_000;

/** Whether this machine has what an EKS cluster is made and reached with, and AWS knows who asks. Reads only. */
export async function checkEks(
  { region }: Pick<EksSettings, "region">,
  { env, run }: Pick<Probes, "env" | "run">,
  sdk = missingSdk("eks"),
): Promise<Finding[]> {
  const installed = sdk ? error("AWS SDK", sdk.message, sdk.fix) : ok("AWS SDK", "It is installed.");
  if (findOnPath("aws", env.PATH ?? "").length === 0) {
    const evidence = "aws is not on PATH. The kubeconfig holds no credentials: it has aws ask for a token, each time.";
    const fix = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";
    return [installed, error("AWS CLI", evidence, fix)];
  }
  const identity = await run("aws", ["--region", region, "sts", "get-caller-identity", "--output", "json"], LIMIT_MS);
  return [installed, ok("AWS CLI", "It is on PATH."), judgeIdentity(identity)];
}

/** Reads the answer of `aws sts get-caller-identity`. Whoever it names makes the cluster, and is its first administrator. */
export function judgeIdentity({ code, stdout, stderr, failure }: CommandResult): Finding {
  const arn = code === 0 ? /"Arn":\s*"([^"]+)"/.exec(stdout)?.[1] : undefined;
  if (arn !== undefined) return ok("AWS credentials", `AWS knows them as ${arn}.`);
  const said = stderr.trim().split("\n").at(-1) || failure || "no answer";
  return error("AWS credentials", `AWS does not say whose they are: ${said}`, "aws configure, or aws sso login");
}
