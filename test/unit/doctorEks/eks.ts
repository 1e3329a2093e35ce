import type { EksSettings, Settings } from "../../../components/settings.ts";
import type { InstanceType } from "../../../doctor/eks/questions.ts";
import { settingsOf } from "../components/config.ts";

/** Settings of a stack on EKS, and its cluster. */
export function eks(
  cluster: object = {},
  others: Record<string, unknown> = {},
): { settings: Settings; cluster: EksSettings } {
  const settings = settingsOf({ cluster: { provider: "eks", ...cluster }, ...others });
  if (settings.cluster.provider !== "eks") throw new Error("not EKS");
  return { settings, cluster: settings.cluster };
}

/** An instance type as EC2 describes it. */
export function instanceType(
  name: string,
  { vcpus = 2, interfaces = 3, addresses = 6, architecture = "x86_64", usage = ["on-demand", "spot"] } = {},
): InstanceType {
  return {
    InstanceType: name,
    VCpuInfo: { DefaultVCpus: vcpus },
    ProcessorInfo: { SupportedArchitectures: [architecture] },
    NetworkInfo: { MaximumNetworkInterfaces: interfaces, Ipv4AddressesPerInterface: addresses },
    SupportedUsageClasses: usage,
  };
}

/** What AWS says where a right is missing. */
export const DENIED = { code: "AccessDenied", said: "An error occurred (AccessDenied)" };
