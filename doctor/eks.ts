import { missingSdk } from "../components/cluster/cloud.ts";
import type { Settings } from "../components/settings.ts";
import type { EksSettings } from "../components/settingsEks.ts";
import type { Problem } from "../components/userError.ts";
import { findOnPath } from "../tools/findOnPath.ts";
import { checkNewCluster, checkOldCluster } from "./eks/account.ts";
import { type Answer, awsOf } from "./eks/aws.ts";
import { type Identity, questionsTo } from "./eks/questions.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import type { Probes } from "./probes.ts";

/** A login that has run out is asked for anew. */
const LOGIN_LIMIT_MS = 20_000;

/**
 * Whether this machine has what an EKS cluster is made and reached with, whether AWS knows who asks, and, where `account`, whether the account has what the settings
 * need. Only looks. What making a cluster takes is asked where there is none yet: of one that is there AWS has long decided it, so that a preview of an unchanged
 * stack costs two questions and not twenty.
 */
export async function checkEks(
  settings: Settings,
  cluster: EksSettings,
  probes: Pick<Probes, "env" | "run">,
  { account = true, sdk = missingSdk("eks") }: { account?: boolean; sdk?: Problem | undefined } = {},
): Promise<Finding[]> {
  const installed = sdk ? error("AWS SDK", sdk.message, sdk.fix) : ok("AWS SDK", "It is installed.");
  if (findOnPath("aws", probes.env.PATH ?? "").length === 0) {
    const evidence = "aws is not on PATH. The kubeconfig holds no credentials: it has aws ask for a token, each time.";
    const fix = "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html";
    return [installed, error("AWS CLI", evidence, fix)];
  }
  const first = questionsTo(awsOf(probes, cluster.region, LOGIN_LIMIT_MS));
  const [identity, there] = await Promise.all([first.identity(), account ? first.cluster(cluster.name) : undefined]);
  const found = [installed, ok("AWS CLI", "It is on PATH."), judgeIdentity(identity)];
  if (there === undefined) return found;
  if (!("value" in identity)) return [...found, NOT_ASKED];
  const ask = questionsTo(awsOf(probes, cluster.region));
  if ("value" in there) return [...found, ...(await checkOldCluster(settings, cluster, there.value.cluster, ask))];
  if (there.code === "ResourceNotFoundException") {
    return [...found, ...(await checkNewCluster(settings, cluster, identity.value, ask))];
  }
  const evidence = `Not checked: whether cluster ${cluster.name} is there, and so nothing of what making it takes: ${there.said}`;
  return [...found, warning(ACCOUNT, evidence, "allow eks:DescribeCluster")];
}

const ACCOUNT = "AWS account";
const NOT_ASKED = warning(
  ACCOUNT,
  "Not checked: permissions, quotas, instance types, versions and the VPC; AWS does not know who asks.",
);

/** Reads the answer of `aws sts get-caller-identity`. Whoever it names makes the cluster, and is its first administrator. */
export function judgeIdentity(identity: Answer<Identity>): Finding {
  if ("value" in identity && identity.value.Arn)
    return ok("AWS credentials", `AWS knows them as ${identity.value.Arn}.`);
  const said = "value" in identity ? "no answer" : identity.said;
  return error("AWS credentials", `AWS does not say whose they are: ${said}`, "aws configure, or aws sso login");
}
