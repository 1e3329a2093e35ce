import { at, listAt, type Resource, textAt } from "../resource.ts";

/** What a cloud gives each node of a group before it joins. */
export interface Taint {
  key: string | undefined;
  /** As the clouds write it: `NO_EXECUTE`. */
  effect: string | undefined;
}

/** Pulumi's types of node groups whose taints are lists of key and effect, and where these are. AKS takes none of one's own for nodes that it needs itself (Azure/AKS#2578). */
const GROUPS: readonly { type: RegExp; taints: string[] }[] = [
  { type: /^(aws:eks\/nodeGroup:NodeGroup|aws-native:eks:Nodegroup)$/, taints: ["taints"] },
  { type: /^gcp:container\/nodePool:NodePool$/, taints: ["nodeConfig", "taints"] },
];

/** The taints of a node group; undefined where a resource is none. */
export function taintsOf({ type, props }: Pick<Resource, "type" | "props">): Taint[] | undefined {
  const group = GROUPS.find((each) => each.type.test(type));
  if (!group) return undefined;
  return listAt(props, ...group.taints).map((taint) => ({
    key: textAt(taint, "key"),
    effect: textAt(taint, "effect"),
  }));
}

/** Whether a resource is a node group of EKS that starts its nodes from a launch template, or may. */
export function isEksNodeGroup({ type }: Pick<Resource, "type">): boolean {
  return type === "aws:eks/nodeGroup:NodeGroup";
}

/** The launch template of a node group: the resource, `elsewhere` where it is no resource of the stack, and undefined where the group has none. */
export function launchTemplateOf(
  { props, dependencies = [] }: Resource,
  resources: readonly Resource[],
): Resource | "elsewhere" | undefined {
  if (at(props, "launchTemplate") === undefined) return undefined;
  const template = resources.find(
    ({ type, urn }) => type === "aws:ec2/launchTemplate:LaunchTemplate" && dependencies.includes(urn),
  );
  return template ?? "elsewhere";
}
