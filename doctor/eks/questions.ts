import type { Answer, Aws } from "./aws.ts";

// Every question to AWS, and the parts of its answers that are read (AWS CLI command reference). What they mean is judged elsewhere.

export interface Identity {
  Account: string;
  Arn: string;
}

export interface ClusterSeen {
  cluster: { status?: string; version?: string; resourcesVpcConfig?: { subnetIds?: string[] } };
}

export interface VersionSeen {
  clusterVersion: string;
  versionStatus?: string;
  endOfStandardSupportDate?: string | number;
}

interface Tagged {
  Tags?: { Key: string; Value: string }[];
}

export interface VpcSeen extends Tagged {
  VpcId: string;
  CidrBlockAssociationSet?: { CidrBlock: string; CidrBlockState?: { State?: string } }[];
}

export interface SubnetSeen {
  SubnetId: string;
  VpcId: string;
  AvailabilityZone: string;
  CidrBlock: string;
  AvailableIpAddressCount: number;
  MapPublicIpOnLaunch?: boolean;
}

export interface Route {
  DestinationCidrBlock?: string;
  GatewayId?: string;
  NatGatewayId?: string;
  TransitGatewayId?: string;
  VpcPeeringConnectionId?: string;
  NetworkInterfaceId?: string;
  State?: string;
}

export interface RouteTableSeen {
  RouteTableId: string;
  Associations?: { Main?: boolean; SubnetId?: string }[];
  Routes?: Route[];
}

export interface InstanceType {
  InstanceType: string;
  VCpuInfo: { DefaultVCpus: number };
  ProcessorInfo: { SupportedArchitectures: string[] };
  NetworkInfo: { MaximumNetworkInterfaces: number; Ipv4AddressesPerInterface: number };
  SupportedUsageClasses: string[];
}

export interface Offering {
  InstanceType: string;
  Location: string;
}

/** An instance that runs, as the query below picks it. */
export interface RunningInstance {
  type: string;
  lifecycle: string | null;
  cores: number | null;
  threads: number | null;
  cluster: string | null;
}

export interface Evaluation {
  EvalActionName: string;
  EvalDecision: string;
  MissingContextValues?: string[];
  ResourceSpecificResults?: { EvalResourceDecision: string; MissingContextValues?: string[] }[];
}

/** Marks what is made for a cluster: an update that was cut short has used of a quota what it needs. */
export const CLUSTER_TAG = "wirecloak:cluster";

const RUNNING = `Reservations[].Instances[].{type: InstanceType, lifecycle: InstanceLifecycle, cores: CpuOptions.CoreCount, threads: CpuOptions.ThreadsPerCore, cluster: Tags[?Key=='${CLUSTER_TAG}'] | [0].Value}`;

/** The questions, each a command of the AWS CLI. */
export function questionsTo(aws: Aws) {
  return {
    identity: () => aws<Identity>(["sts", "get-caller-identity"]),
    cluster: (name: string) => aws<ClusterSeen>(["eks", "describe-cluster", "--name", name]),
    versions: () => aws<{ clusterVersions: VersionSeen[] }>(["eks", "describe-cluster-versions"]),
    clusters: () => aws<{ clusters: string[] }>(["eks", "list-clusters"]),
    role: (name: string) => aws<{ Role: { Arn: string } }>(["iam", "get-role", "--role-name", name]),
    simulate: (principal: string, actions: readonly string[], resource?: string) =>
      aws<{ EvaluationResults: Evaluation[] }>([
        ...["iam", "simulate-principal-policy", "--policy-source-arn", principal],
        ...["--action-names", ...actions],
        ...(resource === undefined ? [] : ["--resource-arns", resource]),
        // What policies ask of iam:PassRole; other actions have no such key.
        ...[
          "--context-entries",
          "ContextKeyName=iam:PassedToService,ContextKeyValues=eks.amazonaws.com,ContextKeyType=string",
        ],
      ]),
    /** EC2 answers a dry run always with an error, which says what would have been. */
    dryRun: (operation: string, args: readonly string[]): Promise<Answer<unknown>> =>
      aws<unknown>(["ec2", operation, "--dry-run", ...args]),
    quota: (service: string, code: string) =>
      aws<{ Quota: { Value: number } }>([
        ...["service-quotas", "get-service-quota", "--service-code", service, "--quota-code", code],
      ]),
    defaultQuota: (service: string, code: string) =>
      aws<{ Quota: { Value: number } }>([
        ...["service-quotas", "get-aws-default-service-quota", "--service-code", service, "--quota-code", code],
      ]),
    vpcs: () => aws<{ Vpcs: VpcSeen[] }>(["ec2", "describe-vpcs"]),
    vpc: (id: string) => aws<{ Vpcs: VpcSeen[] }>(["ec2", "describe-vpcs", "--vpc-ids", id]),
    addresses: () => aws<{ Addresses: Tagged[] }>(["ec2", "describe-addresses"]),
    running: () =>
      aws<RunningInstance[]>([
        ...["ec2", "describe-instances", "--filters", "Name=instance-state-name,Values=pending,running"],
        ...["--query", RUNNING],
      ]),
    dnsSupport: (id: string) =>
      aws<{ EnableDnsSupport?: { Value?: boolean } }>([
        ...["ec2", "describe-vpc-attribute", "--vpc-id", id, "--attribute", "enableDnsSupport"],
      ]),
    dnsHostnames: (id: string) =>
      aws<{ EnableDnsHostnames?: { Value?: boolean } }>([
        ...["ec2", "describe-vpc-attribute", "--vpc-id", id, "--attribute", "enableDnsHostnames"],
      ]),
    subnets: (ids: readonly string[]) =>
      aws<{ Subnets: SubnetSeen[] }>(["ec2", "describe-subnets", "--subnet-ids", ...ids]),
    routeTables: (vpc: string) =>
      aws<{ RouteTables: RouteTableSeen[] }>([
        "ec2",
        "describe-route-tables",
        "--filters",
        `Name=vpc-id,Values=${vpc}`,
      ]),
    instanceTypes: (types: readonly string[]) =>
      aws<{ InstanceTypes: InstanceType[] }>([
        ...["ec2", "describe-instance-types", "--filters", `Name=instance-type,Values=${types.join(",")}`],
      ]),
    offerings: (types: readonly string[]) =>
      aws<{ InstanceTypeOfferings: Offering[] }>([
        ...["ec2", "describe-instance-type-offerings", "--location-type", "availability-zone"],
        ...["--filters", `Name=instance-type,Values=${types.join(",")}`],
      ]),
  };
}

export type Questions = ReturnType<typeof questionsTo>;
