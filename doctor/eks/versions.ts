import coerce from "semver/functions/coerce.js";
import gte from "semver/functions/gte.js";
import type { EncryptionMode, Settings } from "../../components/settings.ts";
import type { EksSettings } from "../../components/settingsEks.ts";
import { error, type Finding, ok, warning } from "../finding.ts";
import type { Answer } from "./aws.ts";
import type { VersionSeen } from "./questions.ts";

const KUBERNETES = "Kubernetes version";

/** Whether EKS still makes clusters of this version, and at which price. That Cilium is tested with it the settings have checked. */
export function judgeVersion(
  { kubernetes }: Pick<EksSettings, "kubernetes">,
  versions: Answer<VersionSeen[]>,
): Finding {
  if (!("value" in versions)) {
    const evidence = `Not checked whether EKS still offers ${kubernetes}: ${versions.said}`;
    const old = /[Ii]nvalid choice/.test(versions.said);
    return warning(
      KUBERNETES,
      evidence,
      old ? "a newer AWS CLI" : "allow eks:DescribeClusterVersions, or go on without",
    );
  }
  const standard = versions.value.filter(({ versionStatus }) => versionStatus === "STANDARD_SUPPORT");
  const names = standard.map(({ clusterVersion }) => clusterVersion).sort();
  const seen = versions.value.find(({ clusterVersion }) => clusterVersion === kubernetes);
  const fix = `pulumi config set --path wirecloak:cluster.kubernetes VERSION, one of ${names.join(", ")} that your Cilium is tested with`;
  switch (seen?.versionStatus) {
    case "STANDARD_SUPPORT":
      return ok(KUBERNETES, `EKS has ${kubernetes} in standard support${until(seen)}.`);
    case "EXTENDED_SUPPORT":
      return warning(KUBERNETES, `EKS has ${kubernetes} in extended support only, which costs more by the hour.`, fix);
    default:
      return error(KUBERNETES, `EKS makes no clusters of ${kubernetes} any more, or not yet.`, fix);
  }
}

/** The AWS CLI writes times as text, an old one as seconds. */
function until({ endOfStandardSupportDate: end }: VersionSeen): string {
  if (end === undefined) return "";
  const day = new Date(typeof end === "number" ? end * 1000 : end);
  return Number.isNaN(day.getTime()) ? "" : ` until ${day.toISOString().slice(0, 10)}`;
}

/** The kernel of EKS's image of Amazon Linux 2023, by the first minor version of Kubernetes that has it (awslabs/amazon-eks-ami, release v20261012). */
const KERNELS = [
  { from: 36, kernel: "6.18" },
  { from: 33, kernel: "6.12" },
  { from: 0, kernel: "6.1" },
] as const;

/** What Cilium needs (its "System Requirements", and kernels of Linux that have WireGuard); of IPsec the modules matter, which Cilium's own tests on EKS use. */
const WIREGUARD = "5.6";
const ciliumNeeds = (version: string) => (gte(version, "1.18.0") ? "5.10" : "5.4");

/** The kernel that nodes of this version run. */
export function kernelOf(kubernetes: string): string {
  const minor = Number(kubernetes.split(".")[1]);
  return KERNELS.find(({ from }) => minor >= from)?.kernel ?? "";
}

/** Whether the nodes' kernel is new enough for Cilium and for the mode. */
export function judgeNodeKernel(
  kernel: string,
  mode: EncryptionMode,
  { version }: Pick<Settings["cilium"], "version">,
): Finding {
  const needs = [ciliumNeeds(version), ...(mode === "wireguard" ? [WIREGUARD] : [])];
  const most = needs.reduce((a, b) => (newer(a, b) ? a : b));
  const image = `The image of the nodes, Amazon Linux 2023, has Linux ${kernel}`;
  if (newer(kernel, most)) return ok("kernel of the nodes", `${image}; Cilium ${version} with ${mode} needs ${most}.`);
  return error(
    "kernel of the nodes",
    `${image}, and Cilium ${version} with ${mode} needs ${most}.`,
    "a newer Kubernetes version",
  );
}

function newer(a: string, b: string): boolean {
  return gte(coerce(a) ?? "0.0.0", coerce(b) ?? "0.0.0");
}
