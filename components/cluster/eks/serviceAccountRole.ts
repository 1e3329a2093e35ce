import type { OpenIdConnectProvider } from "@pulumi/aws/iam/openIdConnectProvider.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { RolePolicyAttachment } from "@pulumi/aws/iam/rolePolicyAttachment.js";
import * as pulumi from "@pulumi/pulumi";
import { serviceAccountTrust } from "./policyDocuments.ts";

export interface ServiceAccountRoleArgs {
  issuer: pulumi.Input<string>;
  identity: OpenIdConnectProvider;
  namespace: string;
  /** Name of the service account. */
  account: string;
  /** What the role may do: a document of ours, or a policy that AWS keeps. */
  rights: { document: pulumi.Input<string> } | { managed: string };
}

/** A role in AWS that one service account of the cluster may take, so that the nodes need not have its rights. */
export class ServiceAccountRole extends pulumi.ComponentResource {
  /** Known once the role has its rights. */
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: ServiceAccountRoleArgs, opts: pulumi.ComponentResourceOptions) {
    super("wirecloak:cluster:ServiceAccountRole", name, {}, opts);
    const { namespace, account, rights } = args;
    const trust = pulumi
      .all([args.issuer, args.identity.arn])
      .apply(([issuer, provider]) => serviceAccountTrust({ issuer, provider, namespace, name: account }));
    const role = new Role(name, { assumeRolePolicy: trust }, { parent: this });
    const policy =
      "document" in rights
        ? new RolePolicy(name, { role: role.name, policy: rights.document }, { parent: this })
        : new RolePolicyAttachment(name, { role: role.name, policyArn: rights.managed }, { parent: this });
    this.arn = pulumi.all([role.arn, policy.id]).apply(([arn]) => arn);
    this.registerOutputs({ arn: this.arn });
  }
}
