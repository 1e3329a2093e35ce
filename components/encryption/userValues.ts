import type { Settings } from "../settings.ts";
import { NAMESPACE, removeCommand, settingKey } from "../settingsFields.ts";
import type { Problem } from "../userError.ts";
import { namesEncryption, ownedOption } from "./agentOptions.ts";

/** A Helm value that is not the user's to set, since it would decide about encryption, or hide what was decided. */
interface OwnedValue {
  /** Dotted path; everything below it is meant too. */
  path: string;
  /** The setting to use instead. */
  setting?: string;
  /** Why it is refused, where no setting stands for it. */
  because?: string;
  /** Where it does no harm. */
  unless?: (settings: Settings, value: unknown) => boolean;
}

const off = (_: Settings, value: unknown) => value === false || value === null;
const notIpsec = ({ encryption }: Settings) => encryption !== "ipsec";
const SECRET = "the IPsec Secret and where agents find it are made by Wirecloak";
const IDENTITY = "Wirecloak and its proof find the agents by the chart's own names";
const API_SERVER = "the API server's address comes from the cluster itself";
const notReplacing = ({ cilium }: Settings) => !cilium.kubeProxyReplacement;
const notOnEks = ({ cluster }: Settings) => cluster.provider !== "eks";
const notChained = ({ cilium }: Settings) => cilium.ipam !== "chained";
const CLOUD = "it changes IPAM and routing behind wirecloak:cilium.ipam and wirecloak:cilium.routing";

// Longer paths first where one lies under another: the first match speaks.
const OWNED: readonly OwnedValue[] = [
  { path: "encryption.nodeEncryption", setting: "wireguard.nodeEncryption" },
  { path: "encryption.strictMode", setting: "strict" },
  { path: "encryption.wireguard.persistentKeepalive", setting: "wireguard.persistentKeepalive" },
  { path: "encryption.wireguard.userspaceFallback", setting: "wireguard.userspaceFallback" },
  { path: "encryption.ipsec.keyRotationDuration", setting: "ipsec.keyRotationDuration" },
  { path: "encryption.ipsec.encryptedOverlay", setting: "ipsec.encryptedOverlay" },
  { path: "encryption.ipsec.interface", setting: "ipsec.interface" },
  { path: "encryption.ipsec", because: SECRET },
  { path: "encryption", setting: "encryption" },
  { path: "routingMode", setting: "cilium.routing" },
  { path: "tunnelProtocol", setting: "cilium.tunnel" },
  { path: "tunnel", setting: "cilium.tunnel" },
  {
    path: "tunnelPort",
    because: "the guard and the proof know the overlay by its protocol's own port",
    unless: ({ cilium }, value) => value === (cilium.tunnel === "geneve" ? 6081 : 8472) || value === 0,
  },
  { path: "ipv4NativeRoutingCIDR", setting: "cilium.nativeCidr" },
  {
    path: "autoDirectNodeRoutes",
    because: "Wirecloak sets it: the nodes of this provider share one network segment",
    unless: ({ cilium, cluster }) => cilium.routing === "tunnel" || cluster.provider === "existing",
  },
  { path: "ipam.mode", setting: "cilium.ipam" },
  { path: "ipam.operator.clusterPoolIPv4PodCIDRList", setting: "cluster.podCidr" },
  { path: "kubeProxyReplacement", setting: "cilium.kubeProxyReplacement" },
  { path: "k8sServiceHost", because: API_SERVER, unless: notReplacing },
  { path: "k8sServicePort", because: API_SERVER, unless: notReplacing },
  { path: "k8sServiceHostRef", because: API_SERVER, unless: notReplacing },
  { path: "hubble.enabled", setting: "cilium.hubble" },
  { path: "hubble.relay.enabled", setting: "cilium.hubble" },
  { path: "hubble.ui.enabled", setting: "cilium.hubble" },
  { path: "cluster.name", setting: "cluster.name" },
  { path: "namespaceOverride", setting: "cilium.namespace" },
  { path: "name", because: IDENTITY },
  { path: "nameOverride", because: IDENTITY },
  { path: "fullnameOverride", because: IDENTITY },
  {
    path: "rollOutCiliumPods",
    because: "agents read their configuration when they start, so a change has to restart them",
  },
  {
    path: "operator.rollOutPods",
    because: "the operator reads its configuration when it starts, so a change has to restart it",
  },
  // Of type OnDelete, agents keep the old configuration.
  { path: "updateStrategy", setting: "cilium.rollout" },
  { path: "agent", because: "without agents nothing encrypts", unless: (_, value) => value === true },
  {
    path: "operator.enabled",
    because: "without the operator nodes get no addresses",
    unless: (_, value) => value === true,
  },
  { path: "preflight.enabled", because: "a preflight release renders no cilium-config", unless: off },
  { path: "daemon.configSources", because: "agents would read another configuration than the one that is proven" },
  {
    path: "ipv4.enabled",
    because: "strict mode and the proof are made for IPv4",
    unless: (_, value) => value === true,
  },
  { path: "eni.iamRole", because: "the operator's role is made with the cluster", unless: notOnEks },
  { path: "eni.subnetIDsFilter", because: "the guard knows pods by the subnets of the nodes", unless: notOnEks },
  { path: "eni.subnetTagsFilter", because: "the guard knows pods by the subnets of the nodes", unless: notOnEks },
  { path: "eni.enabled", because: CLOUD, unless: off },
  {
    path: "enableIPv4Masquerade",
    because: CLOUD,
    unless: ({ cluster, cilium }) => cluster.provider !== "eks" || cilium.routing === "tunnel",
  },
  { path: "enableIdentityMark", because: CLOUD, unless: notChained },
  { path: "cni.exclusive", because: CLOUD, unless: notChained },
  { path: "azure.enabled", because: CLOUD, unless: off },
  { path: "alibabacloud.enabled", because: CLOUD, unless: off },
  { path: "gke.enabled", because: CLOUD, unless: off },
  { path: "aksbyocni.enabled", because: CLOUD, unless: off },
  {
    path: "hostFirewall.enabled",
    because: "Cilium has no host firewall with IPsec",
    unless: (s, value) => notIpsec(s) || off(s, value),
  },
  {
    path: "cni.chainingMode",
    because: "Cilium does not encrypt with IPsec under CNI chaining (cilium/cilium#15596)",
    unless: (s, value) => notIpsec(s) || value === "none" || value === null,
  },
  {
    path: "cni.chainingTarget",
    because: "Cilium does not encrypt with IPsec under CNI chaining (cilium/cilium#15596)",
    unless: (s, v) => notIpsec(s) || v === null,
  },
  {
    path: "dnsProxy.enableTransparentMode",
    because: "agents with IPsec and the L7 proxy do not start without it",
    unless: (s, v) => notIpsec(s) || v === true,
  },
  {
    path: "bpf.hostLegacyRouting",
    because: "IPsec needs the host's routing",
    unless: (s, value) => notIpsec(s) || value === true,
  },
];

/** User values that set or defeat what the settings decide, each with the setting to use instead. */
export function userValueRefusals(settings: Settings): Problem[] {
  const { values } = settings.cilium;
  const problems = [
    ...optionsOf(values).flatMap(({ path, name }) => refusedOption(path, name, settings)),
    ...leaves(values).flatMap((leaf) => refusedLeaf(leaf, settings)),
    ...Object.keys(values)
      .filter((key) => key.includes("."))
      .map((key) =>
        refusal([key], { because: "Helm reads no dots in a values file, so this would do nothing; nest the keys" }),
      ),
  ];
  // One problem a place, and the closest: not also the list around an item that is refused.
  return problems.filter(
    ({ key }, i) =>
      problems.findIndex((other) => other.key === key) === i &&
      !problems.some((other) => other.key.startsWith(`${key}[`) || other.key.startsWith(`${key}.`)),
  );
}

/** User values under which some traffic is outside of what encryption covers. */
export function userValueWarnings(settings: Settings): Problem[] {
  const { encryption, strict, cilium } = settings;
  const at = (path: string) => leaves(cilium.values).find((leaf) => leaf.path.join(".") === path)?.value;
  const warnings: Problem[] = [];
  const warn = (path: string, message: string) =>
    warnings.push({ key: keyOf(path.split(".")), value: at(path), message });
  if (strict && at("ipv6.enabled") === true)
    warn("ipv6.enabled", "Strict mode covers IPv4 only: pods' IPv6 traffic is not dropped where it would be in clear.");
  if (encryption === "wireguard") {
    const acceleration = at("loadBalancer.acceleration");
    if (acceleration !== undefined && acceleration !== "disabled") {
      warn(
        "loadBalancer.acceleration",
        "What XDP forwards for NodePort and LoadBalancer services does not pass WireGuard: it is not encrypted between nodes.",
      );
    }
    if (["dsr", "hybrid"].includes(String(at("loadBalancer.mode")))) {
      warn(
        "loadBalancer.mode",
        "With direct server return, forwarded service traffic is not encrypted between nodes, unless it is dispatched by Geneve.",
      );
    }
  }
  return warnings;
}

interface Leaf {
  path: readonly string[];
  value: unknown;
}

/** The scalars and lists of a tree of values. An empty object sets nothing. */
function leaves(tree: Readonly<Record<string, unknown>>, path: readonly string[] = []): Leaf[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isTree(value) ? leaves(value, [...path, key]) : [{ path: [...path, key], value }],
  );
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refusedLeaf({ path, value }: Leaf, settings: Settings): Problem[] {
  const dotted = path.join(".");
  const owned =
    OWNED.find((entry) => `${dotted}.`.startsWith(`${entry.path}.`)) ??
    // `encryption: null` would take everything below it away.
    OWNED.find((entry) => entry.path.startsWith(`${dotted}.`) && !entry.unless?.(settings, value));
  if (owned !== undefined) return owned.unless?.(settings, value) ? [] : [refusal(path, owned, value)];
  // In another component's arguments, a volume, or text that breaks out of its line in the chart's template.
  if (!namesEncryption([...path, ...textsOf(value)].join("\n"))) return [];
  return [refusal(path, { because: "it names an option that decides about encryption, or the IPsec Secret" })];
}

/** The agent options that user values set past the chart's own, by `extraConfig`, `extraArgs` and `extraEnv`. */
function optionsOf(values: Readonly<Record<string, unknown>>): { path: string[]; name: string }[] {
  const { extraConfig, extraArgs, extraEnv } = values;
  const keys = (list: string, value: unknown) =>
    isTree(value) ? Object.keys(value).map((name) => ({ path: [list, name], name })) : [];
  const items = (list: string, value: unknown) =>
    (Array.isArray(value) ? value : []).map((item: unknown, i) => ({
      path: [list, String(i)],
      name: String(isTree(item) ? item.name : item),
    }));
  return [
    ...keys("extraConfig", extraConfig),
    ...keys("extraArgs", extraArgs),
    ...items("extraArgs", extraArgs),
    ...keys("extraEnv", extraEnv),
    ...items("extraEnv", extraEnv),
  ];
}

function refusedOption(path: string[], name: string, { encryption }: Settings): Problem[] {
  const option = ownedOption(name);
  if (option === undefined || (option.ipsecOnly && encryption !== "ipsec")) return [];
  return [
    refusal(
      path,
      option.setting ? { setting: option.setting } : { because: `Wirecloak sets the agent's ${option.name} itself` },
    ),
  ];
}

function refusal(
  path: readonly string[],
  { setting, because }: Pick<OwnedValue, "setting" | "because">,
  value?: unknown,
): Problem {
  const key = keyOf(path);
  const isPlain = typeof value === "boolean" || typeof value === "number";
  return {
    key,
    ...(isPlain && { value }),
    message:
      because === undefined
        ? `${NAMESPACE}:${setting} decides this; a Helm value beside it would contradict or be lost.`
        : `This value is refused: ${because}.`,
    ...(setting && { allowed: `use ${NAMESPACE}:${setting}` }),
    fix: removeCommand(key),
  };
}

function keyOf(path: readonly string[]): string {
  return settingKey(["cilium", "values", ...path]);
}

/** Every text in a value, keys included. */
function textsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (isTree(value)) return Object.entries(value).flatMap(([key, inner]) => [key, ...textsOf(inner)]);
  return [String(value)];
}
