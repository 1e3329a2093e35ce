import { isChart } from "../cilium/charts.ts";
import { type CiliumPiece, piecesOf } from "../cilium/pieces.ts";
import { at, isTree, type Resource, type Tree, textAt, treeAt } from "../resource.ts";
import type { Rule } from "../rule.ts";

/** What the chart puts on the agents' pods: a checksum of cilium-config. */
const CHECKSUM = "cilium.io/cilium-configmap-checksum";

/** A change of configuration reaches the agents. */
export const ciliumRollout: Rule = {
  name: "cilium-rollout",
  title: "A change of configuration restarts the agents",
  description:
    "rollOutCiliumPods is true, or something else restarts the agents when cilium-config changes: they read it only when they start, so encryption that is turned on would be on nowhere.",
  level: "mandatory",
  severity: "high",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8(1)" }],
  remediation: [
    "Set rollOutCiliumPods: true, and leave updateStrategy.type at RollingUpdate.",
    "Without Helm: a checksum of cilium-config as an annotation of the pods (checksum/...), or Stakater's Reloader.",
  ],
  url: "https://github.com/cilium/cilium/issues/24772",
  check: (piece) => {
    if (piece.kind !== "cilium" || !piece.rollout) return [];
    const { what, rollout } = piece;
    if (strategyOf(rollout) === "OnDelete")
      return [
        `${what}: the update strategy is OnDelete, so agents keep their old configuration until someone deletes them`,
      ];
    return isRolled(rollout)
      ? []
      : [`${what}: nothing restarts the agents when their configuration changes, so that they keep the old one`];
  },
  mend: rollOut,
};

type Rollout = NonNullable<CiliumPiece["rollout"]>;

function strategyOf(rollout: Rollout): string | undefined {
  return "values" in rollout
    ? textAt(rollout.values, "updateStrategy", "type")
    : textAt(rollout.object, "spec", "updateStrategy", "type");
}

function isRolled(rollout: Rollout): boolean {
  if ("object" in rollout) {
    const { object } = rollout;
    const pods = at(object, "spec", "template", "metadata", "annotations");
    return (
      has(pods, (name) => name === CHECKSUM || isChecksum(name)) || isReloaded(at(object, "metadata", "annotations"))
    );
  }
  const { values } = rollout;
  if (at(values, "rollOutCiliumPods") === true) return true;
  return has(at(values, "podAnnotations"), isChecksum) || isReloaded(at(values, "annotations"));
}

/** Helm's convention for what rolls pods: an annotation that changes with a file. */
function isChecksum(name: string): boolean {
  return name.startsWith("checksum/");
}

/** Reloader watches what it is told to, and rolls. */
function isReloaded(annotations: unknown): boolean {
  return (
    textAt(annotations, "reloader.stakater.com/auto") === "true" ||
    textAt(annotations, "configmap.reloader.stakater.com/reload")?.split(",").includes("cilium-config") === true
  );
}

function has(tree: unknown, is: (name: string) => boolean): boolean {
  return isTree(tree) && Object.keys(tree).some(is);
}

/** Where nothing is said of it, so that nobody has decided against it. */
function rollOut(resource: Resource): boolean {
  if (!isChart(resource)) return false;
  const [piece] = piecesOf(resource);
  if (piece?.kind !== "cilium" || !piece.helm || piece.helm.inner !== undefined) return false;
  const { values } = piece.helm;
  if (at(values, "rollOutCiliumPods") !== undefined || strategyOf({ values }) === "OnDelete") return false;
  const given: Tree = treeAt(resource.props, "values");
  given.rollOutCiliumPods = true;
  return true;
}
