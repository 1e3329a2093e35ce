import type { ResourceValidationPolicy } from "@pulumi/policy";

/** Exactly what the chart's templates compare with: any other spelling renders no encryption at all, without a word. */
const TYPES = ["wireguard", "ipsec"];

/** What a `helm.v3.Release` of Cilium may look like to a policy: inputs after the provider's check, secrets unwrapped. */
interface ReleaseInputs {
  chart?: string;
  name?: string;
  values?: { encryption?: { enabled?: unknown; type?: unknown } };
}

/** Why a Helm release leaves Cilium without encryption; undefined where it does not, or is not Cilium's. */
export function plaintextReason({ chart = "", values }: ReleaseInputs): string | undefined {
  if (!/(^|\/)cilium(-[^/]*\.tgz)?$/.test(chart)) return undefined;
  const { enabled, type } = values?.encryption ?? {};
  // A string "true" is truthy in a template, but "false" is too.
  if (enabled !== true) return "encryption.enabled is not true";
  if (!TYPES.includes(String(type)))
    return `encryption.type is ${JSON.stringify(type)}, not one of ${TYPES.join(", ")}`;
  return undefined;
}

/** A Cilium Helm release encrypts: the first rule of the pack. */
export const ciliumEncrypted: ResourceValidationPolicy = {
  name: "cilium-encryption-enabled",
  description: "A Cilium Helm release has transparent encryption on, with a type that the chart knows.",
  enforcementLevel: "mandatory",
  severity: "high",
  validateResource: (args, reportViolation) => {
    if (args.type !== "kubernetes:helm.sh/v3:Release") return;
    const reason = plaintextReason(args.props as ReleaseInputs);
    if (reason)
      reportViolation(
        `Traffic between nodes would not be encrypted: ${reason}. Set encryption.enabled: true and encryption.type: wireguard.`,
      );
  },
};
