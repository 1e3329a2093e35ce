import { contains, overlap, parseCidr } from "./cidr.ts";
import { chartVersion, minorsWith } from "./encryption/chartVersions.ts";
import { userValueRefusals, userValueWarnings } from "./encryption/userValues.ts";
import type { Settings } from "./settings.ts";
import { EKS_CHECKS, eksWarnings } from "./settingsEksChecks.ts";
import { about, FIELDS, NAMESPACE, remove, set, setCommand } from "./settingsFields.ts";
import type { Problem } from "./userError.ts";

/** A rule over more than one setting. It runs only where each setting that it reads is sound. */
interface Check {
  reads: readonly string[];
  find: (settings: Settings, today: string) => Problem[];
}

const CHECKS: readonly Check[] = [
  { reads: ["encryption", "allowPlaintext"], find: plaintext },
  { reads: ["encryption", "strict", "cilium.version"], find: strictMode },
  { reads: ["strict", "cluster.provider", "cluster.podCidr"], find: strictRange },
  {
    reads: ["cilium.version", "wireguard.userspaceFallback", "ipsec.encryptedOverlay", "ipsec.interface"],
    find: unknownToVersion,
  },
  { reads: ["cilium.version", "encryption", "ipsec.encryptedOverlay", "cilium.routing"], find: overlayWithoutTunnel },
  { reads: ["cilium.routing", "cilium.nativeCidr", "cilium.tunnel", "cluster.podCidr"], find: routing },
  { reads: ["cluster.podCidr", "cluster.serviceCidr", "cilium.nativeCidr"], find: ranges },
  { reads: ["cluster.podCidr", "cluster.workers"], find: roomForNodes },
  { reads: ["cilium.ipam", "cluster.provider", "cluster.podCidr"], find: clusterPool },
  { reads: ["cluster.provider", "cilium.routing", "cilium.tunnel"], find: simulatedTunnel },
  { reads: ["encryption", "cilium.values", "cilium.routing", "cilium.kubeProxyReplacement"], find: userValueRefusals },
  ...EKS_CHECKS,
];

/**
 * What is wrong with settings whose parts are sound each for itself.
 * @param broken full keys that are refused already; checks that read one are skipped
 */
export function refusals(settings: Settings, today: string, broken: readonly string[]): Problem[] {
  const isBroken = (path: string) =>
    broken.some((key) => `${NAMESPACE}:${path}` === key || `${NAMESPACE}:${path}`.startsWith(`${key}.`));
  return CHECKS.filter((check) => !check.reads.some(isBroken)).flatMap((check) => check.find(settings, today));
}

/** What is allowed, but not what one may think. */
export function warningsOf(settings: Settings): Problem[] {
  const { encryption, wireguard, cluster } = settings;
  const warnings: Problem[] = [];
  if (wireguard.nodeEncryption && encryption !== "wireguard") {
    warnings.push({
      ...about("wireguard.nodeEncryption", true),
      message: `Node encryption exists in WireGuard mode only; with encryption ${encryption}, traffic between nodes themselves and of hostNetwork pods is not encrypted.`,
    });
  }
  if ("workers" in cluster && cluster.workers === 0) {
    warnings.push({
      ...about("cluster.workers", 0),
      message:
        "With one node nothing crosses between nodes, so there is nothing to encrypt or to observe: the verdict will be `not proven`.",
      fix: set("cluster.workers", "3"),
    });
  }
  return [...warnings, ...eksWarnings(settings), ...userValueWarnings(settings)];
}

function plaintext({ encryption, allowPlaintext }: Settings, today: string): Problem[] {
  if (encryption !== "none") return [];
  if (allowPlaintext === undefined) {
    const reason = set("allowPlaintext.reason", "'WHY'");
    return [
      {
        ...about("encryption", "none"),
        message:
          "Without encryption, traffic between nodes is readable on the wire. Say why that is accepted, and until when.",
        allowed: "none together with wirecloak:allowPlaintext.reason and .until",
        fix: `${reason} && ${set("allowPlaintext.until", "YYYY-MM-DD")}`,
      },
    ];
  }
  if (allowPlaintext.until >= today) return [];
  return [
    {
      ...about("allowPlaintext.until", allowPlaintext.until),
      message: `Plaintext was accepted until ${allowPlaintext.until}, and today is ${today}.`,
      allowed: "a day to come, YYYY-MM-DD",
      fix: `${setCommand(`${NAMESPACE}:encryption`, "wireguard")}   (or set a later day)`,
    },
  ];
}

function strictMode({ encryption, strict, cilium }: Settings): Problem[] {
  if (!strict) return [];
  const fix = set("strict", "false");
  if (encryption === "none") {
    return [
      {
        ...about("strict", true),
        message: "Strict mode drops what is not encrypted; with encryption none Cilium ignores it.",
        allowed: "false",
        fix,
      },
    ];
  }
  if (encryption === "ipsec" && !chartVersion(cilium.version).ipsecStrict) {
    return [
      {
        ...about("strict", true),
        message: `Cilium ${cilium.version} ignores strict mode with IPsec.`,
        allowed: `with IPsec, Cilium ${minorsWith((row) => row.ipsecStrict)}; with WireGuard, every version`,
        fix,
      },
    ];
  }
  return [];
}

function strictRange({ strict, cluster }: Settings): Problem[] {
  // Of EKS the range is the VPC's (settingsEksChecks.ts).
  if (!strict || cluster.podCidr !== undefined || cluster.provider === "eks") return [];
  return [
    {
      ...about("cluster.podCidr"),
      message:
        "Strict mode has to know which addresses are pods', and of an existing cluster Wirecloak does not know the range.",
      allowed: FIELDS["cluster.podCidr"]?.allowed ?? "",
      fix: set("cluster.podCidr", "10.244.0.0/16"),
    },
  ];
}

/** Refused in any mode, not only in the one that would use it, so that a switch of mode stays one line. */
function unknownToVersion({ wireguard, ipsec, cilium }: Settings): Problem[] {
  const row = chartVersion(cilium.version);
  const problems: Problem[] = [];
  if (wireguard.userspaceFallback && !row.userspaceFallback) {
    problems.push({
      ...about("wireguard.userspaceFallback", true),
      message: `Cilium ${cilium.version} has no WireGuard in user space and ignores this setting; the nodes' kernel must have WireGuard (5.6 or newer).`,
      allowed: `true with Cilium ${minorsWith((other) => other.userspaceFallback)} only`,
      fix: remove("wireguard.userspaceFallback"),
    });
  }
  if (ipsec.encryptedOverlay && row.encryptedOverlay !== "setting") {
    problems.push({
      ...about("ipsec.encryptedOverlay", true),
      message: `Cilium ${cilium.version} ignores this setting: since 1.18 the overlay is always encrypted.`,
      allowed: `true with Cilium ${minorsWith((other) => other.encryptedOverlay === "setting")} only`,
      fix: remove("ipsec.encryptedOverlay"),
    });
  }
  if (ipsec.interface !== undefined && !row.ipsecInterface) {
    problems.push({
      ...about("ipsec.interface", ipsec.interface),
      message: `Cilium ${cilium.version} ignores this setting; it finds the device itself.`,
      allowed: `with Cilium ${minorsWith((other) => other.ipsecInterface)} only`,
      fix: remove("ipsec.interface"),
    });
  }
  return problems;
}

function overlayWithoutTunnel({ encryption, ipsec, cilium }: Settings): Problem[] {
  if (encryption !== "ipsec" || !ipsec.encryptedOverlay || cilium.routing === "tunnel") return [];
  return [
    {
      ...about("ipsec.encryptedOverlay", true),
      message: "Native routing has no overlay to encrypt.",
      allowed: "true with wirecloak:cilium.routing tunnel",
      fix: remove("ipsec.encryptedOverlay"),
    },
  ];
}

function routing({ cilium, cluster }: Settings): Problem[] {
  const { nativeCidr } = cilium;
  // There the network mode decides (settingsEksChecks.ts).
  if (cluster.provider === "eks") return [];
  if (cilium.routing === "native" && nativeCidr === undefined) {
    return [
      {
        ...about("cilium.nativeCidr"),
        message: "Native routing needs the range that the network routes by itself: Cilium masquerades what leaves it.",
        allowed: FIELDS["cilium.nativeCidr"]?.allowed ?? "",
        fix: set("cilium.nativeCidr", cluster.podCidr ?? "10.244.0.0/16"),
      },
    ];
  }
  if (cilium.routing === "tunnel" && nativeCidr !== undefined) {
    return [
      {
        ...about("cilium.nativeCidr", nativeCidr),
        message: "Only native routing has such a range; with routing tunnel it would do nothing.",
        allowed: "with wirecloak:cilium.routing native",
        fix: remove("cilium.nativeCidr"),
      },
    ];
  }
  if (cilium.routing === "native" && cilium.tunnel !== "vxlan") {
    return [
      {
        ...about("cilium.tunnel", cilium.tunnel),
        message: "Native routing has no tunnel, so its protocol would do nothing.",
        allowed: "with wirecloak:cilium.routing tunnel",
        fix: remove("cilium.tunnel"),
      },
    ];
  }
  return [];
}

function ranges({ cluster, cilium }: Settings): Problem[] {
  const pods = range(cluster.podCidr);
  const services = "serviceCidr" in cluster ? range(cluster.serviceCidr) : undefined;
  const native = range(cilium.nativeCidr);
  const problems: Problem[] = [];
  if (pods && services && overlap(pods, services)) {
    problems.push({
      ...about("cluster.serviceCidr", cluster.provider === "existing" ? undefined : cluster.serviceCidr),
      message: `The services' range and the pods' range ${cluster.podCidr} share addresses.`,
      allowed: "two ranges that are apart",
      fix: set(
        "cluster.serviceCidr",
        overlap(pods, { address: "10.96.0.0", prefix: 16, family: "ipv4" }) ? "172.20.0.0/16" : "10.96.0.0/16",
      ),
    });
  }
  if (native && pods && !contains(native, pods)) {
    problems.push({
      ...about("cilium.nativeCidr", cilium.nativeCidr),
      message: `The pods' range ${cluster.podCidr} is not inside it, so pods would be masqueraded behind their nodes.`,
      allowed: `a range that holds ${cluster.podCidr}`,
      fix: set("cilium.nativeCidr", cluster.podCidr ?? ""),
    });
  }
  return problems;
}

/** Both Kubernetes and Cilium's cluster-pool hand each node a /24 by default. */
const NODE_PREFIX = 24;

function roomForNodes({ cluster }: Settings): Problem[] {
  if (!("workers" in cluster)) return [];
  const nodes = cluster.workers + 1;
  const prefix = range(cluster.podCidr)?.prefix ?? 0;
  if (2 ** (NODE_PREFIX - prefix) >= nodes) return [];
  const wanted = NODE_PREFIX - Math.ceil(Math.log2(nodes));
  return [
    {
      ...about("cluster.podCidr", cluster.podCidr),
      message: `Each node gets a /${NODE_PREFIX} of it, and there is no room for ${nodes} nodes: some would have no pod addresses.`,
      allowed: `/${wanted} or larger for ${nodes} nodes`,
      fix: set("cluster.podCidr", `10.0.0.0/${Math.min(wanted, 16)}`),
    },
  ];
}

function clusterPool({ cluster, cilium }: Settings): Problem[] {
  if (cilium.ipam !== "cluster-pool" || cluster.podCidr !== undefined) return [];
  return [
    {
      ...about("cluster.podCidr"),
      message: "With IPAM cluster-pool Cilium hands out the pods' addresses, so it has to know the range.",
      allowed: FIELDS["cluster.podCidr"]?.allowed ?? "",
      fix: set("cluster.podCidr", "10.244.0.0/16"),
    },
  ];
}

/** A rehearsal that wrapped packets otherwise than the settings say would show nothing of them. */
function simulatedTunnel({ cluster, cilium }: Settings): Problem[] {
  if (cluster.provider !== "rehearsal" || cilium.routing !== "tunnel" || cilium.tunnel === "vxlan") return [];
  return [
    {
      ...about("cilium.tunnel", cilium.tunnel),
      message: "The rehearsal's nodes wrap packets in VXLAN and know no other tunnel.",
      allowed: "vxlan in a rehearsal",
      fix: set("cilium.tunnel", "vxlan"),
    },
  ];
}

function range(text: string | undefined) {
  return text === undefined ? undefined : parseCidr(text);
}
