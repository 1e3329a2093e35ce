import coerce from "semver/functions/coerce.js";
import type { Problem } from "../userError.ts";

/**
 * What one minor version of the Cilium chart knows of encryption. Helm takes unknown values in silence, so a setting that a version lacks
 * would leave traffic in clear with no word said. Sources: each chart's values.yaml, values.schema.json and what it renders
 * (`encryption` block), and Cilium's upgrade notes; cilium/cilium#42115 for IPsec strict mode.
 */
export interface ChartVersion {
  /** `1.20` */
  minor: string;
  /** How strict mode is spelled: `strictMode.enabled` (flat), or `strictMode.egress.enabled` and `strictMode.ingress.enabled`. */
  strictMode: "flat" | "egress";
  /** Whether strict mode does anything with IPsec. Before 1.19 the check is compiled for WireGuard only. */
  ipsecStrict: boolean;
  /** Routing modes in which WireGuard can also drop unencrypted *incoming* pod traffic. Absent: the version has no such thing. */
  strictIngress?: readonly ("tunnel" | "native")[];
  /** Whether `wireguard.userspaceFallback` exists. Removed in 1.17.0. */
  userspaceFallback: boolean;
  /** `ipsec.encryptedOverlay`: a setting; still rendered but without effect; or gone. From 1.18 on the overlay is always encrypted. */
  encryptedOverlay: "setting" | "ignored" | "gone";
  /** Whether `ipsec.interface` reaches cilium-config. In 1.20 the value is there, but no template reads it. */
  ipsecInterface: boolean;
  /** The Kubernetes versions of Cilium's end-to-end tests (its compatibility page). Absent: not verified by us. */
  kubernetes?: { from: string; to: string };
  /** The Kubernetes minor versions (1.x) of its tests on EKS; where those are not on record, of its end-to-end tests. Absent: not verified by us. */
  eks?: { from: number; to: number };
}

const TABLE: readonly ChartVersion[] = [
  {
    minor: "1.16",
    strictMode: "flat",
    ipsecStrict: false,
    userspaceFallback: true,
    encryptedOverlay: "setting",
    ipsecInterface: true,
    kubernetes: { from: "1.27", to: "1.30" },
    eks: { from: 27, to: 30 },
  },
  {
    minor: "1.17",
    strictMode: "flat",
    ipsecStrict: false,
    userspaceFallback: false,
    encryptedOverlay: "setting",
    ipsecInterface: true,
  },
  {
    minor: "1.18",
    strictMode: "flat",
    ipsecStrict: false,
    userspaceFallback: false,
    encryptedOverlay: "ignored",
    ipsecInterface: true,
    kubernetes: { from: "1.30", to: "1.33" },
    eks: { from: 30, to: 33 },
  },
  {
    minor: "1.19",
    strictMode: "egress",
    ipsecStrict: true,
    strictIngress: ["tunnel"],
    userspaceFallback: false,
    encryptedOverlay: "ignored",
    ipsecInterface: true,
    kubernetes: { from: "1.31", to: "1.34" },
    eks: { from: 31, to: 34 },
  },
  {
    minor: "1.20",
    strictMode: "egress",
    ipsecStrict: true,
    strictIngress: ["tunnel", "native"],
    userspaceFallback: false,
    encryptedOverlay: "gone",
    ipsecInterface: false,
    kubernetes: { from: "1.33", to: "1.36" },
    eks: { from: 33, to: 35 },
  },
];

/** The minor versions of Cilium that Wirecloak knows, oldest first. */
export const MINORS: readonly string[] = TABLE.map((row) => row.minor);

/** The row of a full version (`1.20.2`); undefined for a minor version that is not in the table. */
export function findChartVersion(version: string): ChartVersion | undefined {
  return TABLE.find((row) => version.startsWith(`${row.minor}.`));
}

/** The row of a version that has passed `loadSettings`. */
export function chartVersion(version: string): ChartVersion {
  const row = findChartVersion(version);
  if (row === undefined) throw new RangeError(`no chart version table row for Cilium ${version}`);
  return row;
}

/** The minor versions for which `has` holds, as text for people: `1.16, 1.17`. */
export function minorsWith(has: (row: ChartVersion) => boolean): string {
  return TABLE.filter(has)
    .map((row) => row.minor)
    .join(", ");
}

/** The minor versions of Cilium that are tested with Kubernetes 1.`minor` on EKS, as text for people. */
export function eksMinorsWith(minor: number): string {
  return minorsWith(({ eks }) => eks !== undefined && minor >= eks.from && minor <= eks.to);
}

/**
 * A warning where Cilium's own end-to-end tests do not cover this Kubernetes version. The chart's `kubeVersion` is only `>= 1.21`, so Helm says nothing.
 * @param kubernetes the API server's version, `v1.35.4` or `1.35`
 */
export function kubernetesWarning(cilium: string, kubernetes: string): Problem | undefined {
  const row = chartVersion(cilium);
  const minor = coerce(kubernetes)?.minor;
  const tested = row.kubernetes;
  if (minor !== undefined && tested !== undefined && minor >= minorOf(tested.from) && minor <= minorOf(tested.to))
    return undefined;
  const others = TABLE.filter((other) => other.kubernetes && minor !== undefined)
    .filter(
      ({ kubernetes: range }) =>
        range && minor !== undefined && minor >= minorOf(range.from) && minor <= minorOf(range.to),
    )
    .map((other) => other.minor);
  return {
    key: "wirecloak:cilium.version",
    value: cilium,
    message:
      tested === undefined
        ? `Which Kubernetes versions Cilium ${row.minor} is tested with is not on record here; this cluster runs ${kubernetes}.`
        : `Cilium ${row.minor} is tested with Kubernetes ${tested.from} to ${tested.to}; this cluster runs ${kubernetes}.`,
    ...(others.length > 0 && { allowed: `Cilium ${others.join(", ")} for this Kubernetes version` }),
  };
}

function minorOf(version: string): number {
  return Number(version.split(".")[1]);
}
