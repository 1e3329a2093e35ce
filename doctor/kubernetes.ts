import coerce from "semver/functions/coerce.js";
import { NODE_IMAGE } from "../components/cluster/kindSpec.ts";
import { kubernetesWarning } from "../components/encryption/chartVersions.ts";
import type { Settings } from "../components/settings.ts";
import { type Finding, ok, warning } from "./finding.ts";

const WHAT = "Kubernetes version";

/** The Kubernetes minor version in a text such as `kindest/node:v1.35.8@sha256:...` or `v1.35.8`. */
export function minorIn(text: string): string | undefined {
  return /(?:^|:)v?(\d+\.\d+)\.\d+/.exec(text)?.[1];
}

/** Whether Cilium's own tests cover this Kubernetes. The chart itself refuses none. */
export function judgeKubernetes(settings: Pick<Settings, "cilium" | "cluster">, minor: string | undefined): Finding {
  const { version } = settings.cilium;
  if (minor === undefined)
    return warning(
      WHAT,
      `Which Kubernetes it is cannot be told, so neither whether Cilium ${version} is tested with it.`,
    );
  const problem = kubernetesWarning(version, minor);
  if (!problem) return ok(WHAT, `${minor}; Cilium ${version} is tested with it.`);
  const fix =
    settings.cluster.provider === "kind"
      ? "choose a node image from the release notes of the pinned kind: pulumi config set --path wirecloak:cluster.image IMAGE@DIGEST"
      : "choose a Cilium version that is tested with it: pulumi config set --path wirecloak:cilium.version VERSION";
  return warning(WHAT, [problem.message, problem.allowed].filter((part) => part !== undefined).join(" "), fix);
}

const ADMISSION = "admission";

/** ValidatingAdmissionPolicy is in Kubernetes from this minor version on. */
const WITH_POLICIES = 30;

/** Whether the API server can refuse what would take encryption back. Of a version that cannot be told that is taken for granted. */
export function judgeAdmission({ admission }: Pick<Settings, "admission">, minor: string | undefined): Finding[] {
  if (!admission || minor === undefined || (coerce(minor)?.minor ?? WITH_POLICIES) >= WITH_POLICIES) return [];
  const evidence = `Kubernetes ${minor} has no ValidatingAdmissionPolicy (1.${WITH_POLICIES} has), so none is installed: helm upgrade or kubectl edit by hand can turn encryption off.`;
  return [warning(ADMISSION, evidence, "pulumi config set wirecloak:admission false, to accept it")];
}

/** Whether the cluster was found to have no admission policies. */
export function lacksAdmission(findings: readonly Finding[]): boolean {
  return findings.some(({ what, level }) => what === ADMISSION && level === "warning");
}

/** The version in the node image that a kind cluster will have. */
export function kindKubernetes(image = NODE_IMAGE): string | undefined {
  return minorIn(image);
}
