import { isEksNodeGroup, launchTemplateOf } from "../clusters/nodeGroups.ts";
import { at, type Resource, textAt, UnreadError } from "../resource.ts";
import type { Breach, Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** Pods cannot act in AWS as the node that they are on. */
export const nodeCredentialsKept: Rule = {
  name: "node-credentials-kept",
  title: "Pods cannot take the credentials of their EKS node",
  description:
    "Where the option `required` is true, the metadata service of EKS nodes answers with a token only (IMDSv2) and no further than the node itself: who has a node's credentials may change network interfaces and, with some rights, what their security groups let through. Undecided where the launch template is of another stack. Without the option nothing is asked.",
  level: "mandatory",
  severity: "medium",
  supports: [{ framework: "NIST SP 800-53r5", clause: "AC-6" }],
  remediation: [
    'Give the node group a launch template with metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 }; what needs rights in AWS gets them by its service account.',
  ],
  url: "https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html",
  options: { required: { type: "boolean" } },
  checkAll: (resources, { required }) =>
    required !== true
      ? []
      : inEach(resources.filter(isEksNodeGroup), function* (group): Generator<Breach> {
          const template = launchTemplateOf(group, resources);
          if (template === "elsewhere")
            throw new UnreadError(`the launch template of node group ${group.name} is not a resource of this stack`);
          const why = template ? reachable(template) : "it has no launch template that sets their metadata options";
          if (why)
            yield {
              message: `Node group ${group.name}: pods can take its nodes' credentials, as ${why}`,
              urn: group.urn,
            };
        }),
};

/** What lets pods ask; undefined where nothing does. */
function reachable({ name, props }: Resource): string | undefined {
  const options = at(props, "metadataOptions");
  if (textAt(options, "httpEndpoint") === "disabled") return undefined;
  if (textAt(options, "httpTokens") !== "required")
    return `launch template ${name} does not set metadataOptions.httpTokens to required`;
  // AMIs of Amazon's set 2 where nothing is said.
  return at(options, "httpPutResponseHopLimit") === 1
    ? undefined
    : `launch template ${name} does not set metadataOptions.httpPutResponseHopLimit to 1`;
}
