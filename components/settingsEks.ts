import { z } from "zod";
import { networkOf, parseCidr } from "./cidr.ts";
import { cidr, name, rule, serviceCidr, text } from "./settingsTexts.ts";

/**
 * Who gives pods their addresses, and what carries their packets.
 * - `eni`: Cilium gives them addresses of the VPC.
 * - `overlay`: Cilium gives them addresses of their own range, in a tunnel between the nodes.
 * - `chaining`: Amazon's own CNI gives them addresses of the VPC, and Cilium runs behind it.
 */
export type EksNetwork = (typeof NETWORKS)[number];

const NETWORKS = ["eni", "overlay", "chaining"] as const;

/** The VPC that is made, or the one that is there (`id` and `subnetIds`). */
export interface EksVpcSettings {
  /** Its range. Absent only of a VPC that is there: then strict mode has no range. */
  cidr?: string;
  /** Availability zones of a VPC that is made; absent: two of the region. */
  zones?: string[];
  /** NAT gateways of a VPC that is made; absent: one for all zones, which is cheaper. */
  natGateways?: "one" | "per-zone";
  id?: string;
  /** Private subnets for the nodes, in two zones or more. */
  subnetIds?: string[];
  /** IPv4 ranges that hold these subnets. From nodes nothing else in them can be reached, so that endpoints of the VPC belong elsewhere. */
  nodeRanges?: string[];
}

/** Nodes that are alike. */
export interface NodeGroupSettings {
  /** What EC2 may take, all of one architecture. */
  instanceTypes: string[];
  nodes: number;
  /** Absent: as many as `nodes`, so that nothing scales the group. */
  min?: number;
  max?: number;
  /** Spare capacity, cheaper, which EC2 may take back at any time. */
  spot: boolean;
  diskGiB: number;
  labels: Record<string, string>;
}

/** A cluster in AWS, with a control plane that AWS runs and managed node groups. */
export interface EksSettings {
  provider: "eks";
  name: string;
  region: string;
  /** Kubernetes minor version, `1.34`. */
  kubernetes: string;
  network: EksNetwork;
  /** The pods' range. Decided by `network` but for `overlay`: else it is the VPC's, where that is known. */
  podCidr?: string;
  serviceCidr: string;
  vpc: EksVpcSettings;
  nodeGroups: Record<string, NodeGroupSettings>;
  /** On everything that is made in AWS. */
  tags: Record<string, string>;
  /** Who may reach the API server from outside of the VPC. Nodes always reach it inside. */
  endpoint: { public: boolean; allowedCidrs: string[] };
  /** What of the control plane goes to CloudWatch. */
  logs: string[];
  logRetentionDays: number;
  /** ARNs of IAM users and roles that are administrators, beside whoever makes the cluster. */
  admins: string[];
  /** Refuse to delete the cluster, its network and its key, until this is off again. */
  protect: boolean;
}

// The AWS region names its zones by a letter; what a region is, AWS itself says.
const region = text(rule("is no AWS region.", (value) => /^[a-z]{2}(?:-[a-z]+)+-\d$/.test(value)));

/** Sources of packets: unlike the ranges of a network, all addresses are one. */
const source = text(
  rule("is no IPv4 range.", (value) => parseCidr(value)?.family === "ipv4"),
  rule("does not begin at its first address.", (value) => {
    const range = parseCidr(value);
    return range !== undefined && networkOf(range) === value;
  }),
);

const nodeGroup = z.strictObject({
  instanceTypes: z
    .array(text(rule("is no EC2 instance type.", (value) => /^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(value))))
    .min(1)
    .default(["t3.medium"]),
  nodes: z.int().min(0).default(2),
  min: z.exactOptional(z.int().min(0)),
  max: z.exactOptional(z.int().min(1)),
  spot: z.boolean().default(false),
  diskGiB: z.int().min(20).max(16384).default(30),
  labels: z.record(z.string(), z.string()).default({}),
});

const groupName = text(
  rule("is no name of a node group.", (value) => /^[a-z0-9](?:[a-z0-9-]{0,18}[a-z0-9])?$/.test(value)),
);

const id = (kind: string) => text(rule(`is no id of a ${kind}.`, (value) => ID.test(value) && value.startsWith(kind)));
const ID = /^[a-z]+-[0-9a-f]{8}(?:[0-9a-f]{9})?$/;

const minorVersion = text(rule("is no minor version of Kubernetes.", (value) => /^1\.\d{2}$/.test(value)));

/** In the matrix of more than one version of Cilium, so that neither is moved by the other's default. */
const DEFAULT_KUBERNETES = "1.34";

/** Where pods have a range of their own and none is set. */
const DEFAULT_POD_CIDR = "10.244.0.0/16";
const DEFAULT_VPC_CIDR = "10.0.0.0/16";

/** The shape of `wirecloak:cluster` of provider eks, with defaults. */
export const eksShape = z.strictObject({
  provider: z.literal("eks"),
  name: name.default("dev"),
  region: region.default("us-west-2"),
  kubernetes: minorVersion.default(DEFAULT_KUBERNETES),
  network: z.enum(NETWORKS).default("eni"),
  podCidr: z.exactOptional(cidr),
  serviceCidr: serviceCidr.default("172.20.0.0/16"),
  vpc: z
    .strictObject({
      cidr: z.exactOptional(cidr),
      zones: z.exactOptional(z.array(z.string()).min(2).max(4)),
      natGateways: z.exactOptional(z.enum(["one", "per-zone"])),
      id: z.exactOptional(id("vpc")),
      subnetIds: z.exactOptional(z.array(id("subnet")).min(2)),
      nodeRanges: z.exactOptional(z.array(cidr).min(1)),
    })
    .prefault({}),
  nodeGroups: z.record(groupName, nodeGroup).prefault({ workers: {} }),
  tags: z.record(z.string(), z.string()).default({}),
  endpoint: z
    .strictObject({
      public: z.boolean().default(true),
      allowedCidrs: z.array(source).min(1).default(["0.0.0.0/0"]),
    })
    .prefault({}),
  logs: z
    .array(z.enum(["api", "audit", "authenticator", "controllerManager", "scheduler"]))
    .default(["api", "audit", "authenticator"]),
  logRetentionDays: z.literal([1, 3, 5, 7, 14, 30, 60, 90, 180, 365]).default(30),
  admins: z
    .array(
      text(rule("is no ARN of an IAM user or role.", (v) => /^arn:aws[a-z-]*:iam::\d{12}:(?:user|role)\//.test(v))),
    )
    .default([]),
  protect: z.boolean().default(false),
});

/** Whether the VPC is there already. */
export function isGivenVpc({ vpc }: Pick<EksSettings, "vpc">): boolean {
  return vpc.id !== undefined;
}

/** The cluster with what its network mode decides of the pods' range and of its VPC's. */
export function withRanges(cluster: EksSettings): EksSettings {
  const range = cluster.vpc.cidr ?? (isGivenVpc(cluster) ? undefined : DEFAULT_VPC_CIDR);
  const pods = cluster.network === "overlay" ? (cluster.podCidr ?? DEFAULT_POD_CIDR) : range;
  const { podCidr: _, ...rest } = cluster;
  return {
    ...rest,
    vpc: { ...cluster.vpc, ...(range !== undefined && { cidr: range }) },
    ...(pods !== undefined && { podCidr: pods }),
  };
}
