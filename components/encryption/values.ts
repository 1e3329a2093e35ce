import type { Settings } from "../settings.ts";
import { chartVersion } from "./chartVersions.ts";

type Values = Record<string, unknown>;

/** What only the cluster itself knows. Host and port may be Pulumi outputs: they stay leaves of the values, so that policies can read the rest. */
export interface ClusterFacts<Host = string, Port = number, Text = string> {
  /** Where agents reach the API server without kube-proxy, from the nodes. */
  apiServer?: { host: Host; port: Port };
  /** ARN of the AWS role by which Cilium's operator gives nodes network interfaces. Needed by IPAM `eni`. */
  operatorRole?: Text;
  /** Ids of the subnets in which it may make them. */
  nodeSubnets?: readonly Text[];
  /** A file with a boot id of each node's own, where nodes share the host's (kind; cilium/cilium#35951). Needed by IPsec. */
  bootIdFile?: string;
}

/** On what an update has put back, or started anew, because it was not as the one before had left it. Identity: others look for it. */
export const REPAIR_ANNOTATION = "wirecloak.io/repair";

/** What the user's own Helm values may change. */
const DEFAULTS: Values = {
  image: { pullPolicy: "IfNotPresent" },
  operator: { replicas: 1 },
};

/**
 * The values of the `cilium` Helm chart for these settings: everything the version in use knows and nothing it does not. The user's own values lie under ours.
 * Pure; the settings must have passed `loadSettings`.
 * @param repair another text than before makes all agents start anew; empty where nothing was ever repaired
 */
export function ciliumValues<Host, Port, Text>(
  settings: Settings,
  cluster: ClusterFacts<Host, Port, Text> = {},
  repair = "",
): Values {
  const encryption = encryptionValues(settings);
  const ours = [
    { cluster: { name: settings.cluster.name } },
    // Agents and operator read cilium-config when they start; without this a change of mode would reach none of them (cilium/cilium#24772).
    { rollOutCiliumPods: true, operator: { rollOutPods: true }, updateStrategy: updateStrategy(settings) },
    routingValues(settings),
    ipamValues(settings, cluster),
    kubeProxyValues(settings, cluster),
    hubbleValues(settings),
    ipsecNeeds(settings, cluster),
    repair === "" ? {} : { podAnnotations: { [REPAIR_ANNOTATION]: repair } },
  ].reduce(merge, {});
  // Not merged: nothing of a user's may stand beside our encryption block.
  return { ...merge(merge(DEFAULTS, settings.cilium.values), ours), encryption };
}

function encryptionValues(settings: Settings): Values {
  const { encryption: type, wireguard, ipsec, cilium } = settings;
  const row = chartVersion(cilium.version);
  if (type === "none") return { enabled: false };
  const common = {
    enabled: true,
    type,
    nodeEncryption: type === "wireguard" && wireguard.nodeEncryption,
    ...strictValues(settings),
  };
  if (type === "wireguard") {
    return {
      ...common,
      wireguard: {
        persistentKeepalive: wireguard.persistentKeepalive,
        ...(row.userspaceFallback && { userspaceFallback: wireguard.userspaceFallback }),
      },
    };
  }
  return {
    ...common,
    ipsec: {
      secretName: "cilium-ipsec-keys",
      keyFile: "keys",
      mountPath: "/etc/ipsec",
      keyWatcher: true,
      keyRotationDuration: ipsec.keyRotationDuration,
      ...(row.encryptedOverlay === "setting" && { encryptedOverlay: ipsec.encryptedOverlay }),
      ...(row.ipsecInterface && ipsec.interface !== undefined && { interface: ipsec.interface }),
    },
  };
}

function strictValues(settings: Settings): Values {
  const strict = strictEgress(settings);
  if (strict === undefined) return {};
  const { strictMode, strictIngress } = chartVersion(settings.cilium.version);
  const egress = { enabled: true, ...strict };
  if (strictMode === "flat") return { strictMode: egress };
  const ingress = settings.encryption === "wireguard" && strictIngress?.includes(settings.cilium.routing);
  return { strictMode: { egress, ...(ingress && { ingress: { enabled: true } }) } };
}

/** What strict mode drops, whatever the version calls it; undefined where it is off. */
function strictEgress({
  strict,
  encryption,
  cluster,
  cilium,
}: Settings): { cidr: string; allowRemoteNodeIdentities: boolean } | undefined {
  if (!strict || encryption === "none" || cluster.podCidr === undefined) return undefined;
  // In a tunnel the outer packet goes to a node's address; without this, new nodes are cut off (devantler-tech/platform#1944). Where pods and nodes
  // share a range, agents do not even start without it (daemon.go).
  const nodesInRange = cluster.provider === "eks" && cluster.network !== "overlay";
  return { cidr: cluster.podCidr, allowRemoteNodeIdentities: cilium.routing === "tunnel" || nodesInRange };
}

/** Nodes in two modes cannot talk, so a change of mode lasts as long as the slowest of its rounds times their number. */
function updateStrategy({ cilium }: Settings): Values {
  return { type: "RollingUpdate", rollingUpdate: { maxUnavailable: cilium.rollout === "fast" ? "100%" : 1 } };
}

function routingValues({ cilium, cluster }: Settings): Values {
  if (cilium.routing === "tunnel") return { routingMode: "tunnel", tunnelProtocol: cilium.tunnel };
  // The VPC routes pods' addresses, and its NAT gateways translate them: the nodes need not.
  if (cluster.provider === "eks") return { routingMode: "native", enableIPv4Masquerade: false };
  return {
    routingMode: "native",
    ipv4NativeRoutingCIDR: cilium.nativeCidr,
    // Clusters that we make have all nodes on one network segment; of an existing one we do not know.
    ...(cluster.provider !== "existing" && { autoDirectNodeRoutes: true }),
  };
}

function ipamValues<Text>(
  { cilium, cluster }: Settings,
  { operatorRole, nodeSubnets }: ClusterFacts<unknown, unknown, Text>,
): Values {
  switch (cilium.ipam) {
    case "kubernetes":
      return { ipam: { mode: "kubernetes" } };
    case "cluster-pool":
      return { ipam: { mode: "cluster-pool", operator: { clusterPoolIPv4PodCIDRList: [cluster.podCidr] } } };
    case "eni":
      return {
        ipam: { mode: "eni" },
        eni: {
          enabled: true,
          ...(operatorRole !== undefined && { iamRole: operatorRole }),
          // Else pods may get addresses in any subnet of the zone, where the guard takes them for the world's.
          ...(nodeSubnets !== undefined && { subnetIDsFilter: nodeSubnets }),
        },
      };
    case "chained":
      return {
        cni: { chainingMode: "aws-cni", exclusive: false, enableRouteMTUForCNIChaining: true },
        // The mark in the packet is Amazon's CNI's own there.
        enableIdentityMark: false,
        ipam: { mode: "cluster-pool", operator: CHAINED_POOL },
      };
  }
}

/** What agents behind another CNI call themselves on their own node. No pod has such an address; the chart's 10.0.0.0/8 would hide hosts of many a VPC. */
const CHAINED_POOL = { clusterPoolIPv4PodCIDRList: ["198.18.0.0/16"], clusterPoolIPv4MaskSize: 26 };

function kubeProxyValues<Host, Port>({ cilium }: Settings, { apiServer }: ClusterFacts<Host, Port, unknown>): Values {
  if (!cilium.kubeProxyReplacement) return { kubeProxyReplacement: false };
  return {
    kubeProxyReplacement: true,
    ...(apiServer && { k8sServiceHost: apiServer.host, k8sServicePort: apiServer.port }),
  };
}

function hubbleValues({ cilium: { hubble } }: Settings): Values {
  return { hubble: { enabled: hubble, relay: { enabled: hubble }, ui: { enabled: hubble } } };
}

/** What IPsec needs of the rest of Cilium. */
function ipsecNeeds({ encryption }: Settings, { bootIdFile }: ClusterFacts<unknown, unknown, unknown>): Values {
  if (encryption !== "ipsec") return {};
  return {
    // Agents with IPsec and the L7 proxy refuse to start without it.
    dnsProxy: { enableTransparentMode: true },
    // IPsec under BPF host routing is not supported up to 1.18; later it needs a kernel with the fix of CVE-2025-37959.
    bpf: { hostLegacyRouting: true },
    ...(bootIdFile !== undefined && { extraConfig: { "boot-id-file": bootIdFile } }),
  };
}

/** Every key that the encryption settings can put into ConfigMap `cilium-config`, in any version. */
const CONFIG_KEYS = [
  "enable-ipsec",
  "enable-wireguard",
  "enable-ztunnel",
  "encrypt-node",
  "encrypt-interface",
  "enable-encryption-strict-mode",
  "enable-encryption-strict-mode-egress",
  "enable-encryption-strict-mode-ingress",
  "encryption-strict-mode-cidr",
  "encryption-strict-mode-allow-remote-node-identities",
  "encryption-strict-egress-cidr",
  "encryption-strict-egress-allow-remote-node-identities",
  "enable-ipsec-encrypted-overlay",
  "enable-ipsec-key-watcher",
  "ipsec-key-file",
  "ipsec-key-rotation-duration",
  "node-encryption-opt-out-labels",
  "wireguard-persistent-keepalive",
  "enable-wireguard-userspace-fallback",
] as const;

type ConfigKey = (typeof CONFIG_KEYS)[number];

/**
 * The encryption-related keys of ConfigMap `cilium-config` as they must read back from a cluster with these settings. null: the key must be absent.
 * What a chart renders is known from `helm template` of each version.
 */
export function expectedConfig(settings: Settings): Record<string, string | null> {
  const absent = Object.fromEntries(CONFIG_KEYS.map((key) => [key, null]));
  return { ...absent, ...modeConfig(settings), ...strictConfig(settings) };
}

function modeConfig({ encryption, wireguard, ipsec, cilium }: Settings): Partial<Record<ConfigKey, string>> {
  const row = chartVersion(cilium.version);
  if (encryption === "none") return {};
  if (encryption === "wireguard") {
    return {
      "enable-wireguard": "true",
      "wireguard-persistent-keepalive": wireguard.persistentKeepalive,
      ...(wireguard.nodeEncryption && { "encrypt-node": "true" }),
      ...(wireguard.userspaceFallback && row.userspaceFallback && { "enable-wireguard-userspace-fallback": "true" }),
    };
  }
  return {
    "enable-ipsec": "true",
    "enable-ipsec-key-watcher": "true",
    "ipsec-key-file": "/etc/ipsec/keys",
    "ipsec-key-rotation-duration": ipsec.keyRotationDuration,
    ...(row.encryptedOverlay !== "gone" && {
      "enable-ipsec-encrypted-overlay": String(ipsec.encryptedOverlay && row.encryptedOverlay === "setting"),
    }),
    ...(row.ipsecInterface && ipsec.interface !== undefined && { "encrypt-interface": ipsec.interface }),
  };
}

function strictConfig(settings: Settings): Partial<Record<ConfigKey, string>> {
  const strict = strictEgress(settings);
  if (strict === undefined) return {};
  const { strictMode, strictIngress } = chartVersion(settings.cilium.version);
  const allow = String(strict.allowRemoteNodeIdentities);
  if (strictMode === "flat") {
    return {
      "enable-encryption-strict-mode": "true",
      "encryption-strict-mode-cidr": strict.cidr,
      "encryption-strict-mode-allow-remote-node-identities": allow,
    };
  }
  const ingress = settings.encryption === "wireguard" && strictIngress?.includes(settings.cilium.routing);
  return {
    "enable-encryption-strict-mode-egress": "true",
    "encryption-strict-egress-cidr": strict.cidr,
    "encryption-strict-egress-allow-remote-node-identities": allow,
    ...(ingress && { "enable-encryption-strict-mode-ingress": "true" }),
  };
}

/** Both trees in one; where both have a leaf, `over` wins. Only plain objects are entered, never a Pulumi output. */
function merge(under: Values, over: Values): Values {
  const merged = Object.entries(over).map(([key, value]): [string, unknown] => {
    const below = Object.hasOwn(under, key) ? under[key] : undefined;
    return [key, isTree(value) && isTree(below) ? merge(below, value) : value];
  });
  // Not by assignment: a key named __proto__ must stay a key.
  return Object.fromEntries([...Object.entries(under), ...merged]);
}

function isTree(value: unknown): value is Values {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
