import { homedir } from "node:os";
import { resolve } from "node:path";
import type { z } from "zod";
import { refusals, warningsOf } from "./settingsChecks.ts";
import { type EksSettings, withRanges } from "./settingsEks.ts";
import { contradictions, decidedBy } from "./settingsEksNetwork.ts";
import { closest, FIELDS, NAMESPACE, removeCommand, setCommand, settingKey } from "./settingsFields.ts";
import { explain, unknownKey } from "./settingsProblems.ts";
import { isProvider, schema } from "./settingsSchema.ts";
import { type Problem, UserError } from "./userError.ts";

export type { EksNetwork, EksSettings, EksVpcSettings, NodeGroupSettings } from "./settingsEks.ts";

/** How Cilium encrypts the traffic between nodes; the names are the Helm chart's `encryption.type`. */
export type EncryptionMode = "wireguard" | "ipsec" | "none";

/** What only WireGuard mode knows; kept while another mode is on, so that a switch of mode is one line. */
export interface WireguardSettings {
  /** Also encrypt node-to-node and hostNetwork traffic. Beta in Cilium, and control planes opt out by default. */
  nodeEncryption: boolean;
  /** Go duration; `0s` sends none. */
  persistentKeepalive: string;
  /** WireGuard in user space where the kernel has none. Cilium 1.16 only. */
  userspaceFallback: boolean;
}

/** What only IPsec mode knows; kept while another mode is on, so that a switch of mode is one line. */
export interface IpsecSettings {
  /** The SPI of the key in use, 1 to 15. A rotation is one step: 4 after 3, 1 after 15. */
  keyId: number;
  /** AES key size of `rfc4106(gcm(aes))`. */
  keyBits: 128 | 256;
  /** Go duration for which the previous key is still accepted. */
  keyRotationDuration: string;
  /** Encrypt the VXLAN/Geneve header too. Cilium 1.16 and 1.17 only; later versions always do. */
  encryptedOverlay: boolean;
  /** The device IPsec binds to; absent: Cilium finds it. Cilium 1.16 to 1.19 only. */
  interface?: string;
  /** Names of nodes that a rotation does not wait for, though they are down. */
  rotateDespite: string[];
}

/** A cluster in Docker, made by kind: one control plane and the workers. */
export interface KindSettings {
  provider: "kind";
  name: string;
  workers: number;
  podCidr: string;
  serviceCidr: string;
  /** Node image; absent: the one of the pinned kind. */
  image?: string;
}

/** A cluster that is there already. Nothing of it is created or destroyed but Cilium. */
export interface ExistingSettings {
  provider: "existing";
  /** Cilium's `cluster.name`, and the name in evidence. */
  name: string;
  /** Absolute path of the kubeconfig. */
  kubeconfig: string;
  /** Absent: the kubeconfig's current context. */
  context?: string;
  /** The pods' range. Needed for strict mode and for cluster-pool IPAM. */
  podCidr?: string;
}

/** A cluster for machines without Docker: a real Kubernetes API, simulated nodes. */
export interface RehearsalSettings {
  provider: "rehearsal";
  name: string;
  workers: number;
  podCidr: string;
  serviceCidr: string;
}

export type ClusterSettings = KindSettings | ExistingSettings | RehearsalSettings | EksSettings;

export interface CiliumSettings {
  /** Full version, `1.20.2`. */
  version: string;
  /** Namespace of the release, the agents and the IPsec Secret. */
  namespace: string;
  /** Where the chart comes from: repository URL, `oci://...`, or an absolute path of a chart folder, a .tgz, or a folder of `cilium-<version>.tgz`. */
  chart: string;
  routing: "tunnel" | "native";
  /** Tunnel protocol; without effect in native routing. */
  tunnel: "vxlan" | "geneve";
  /** The range that is routed, not masqueraded. There in native routing only. */
  nativeCidr?: string;
  /** `eni` and `chained` are decided by the network mode of an EKS cluster. */
  ipam: "kubernetes" | "cluster-pool" | "eni" | "chained";
  kubeProxyReplacement: boolean;
  /** Hubble with relay and UI. */
  hubble: boolean;
  /** How agents take up a change: all at once, which is the shortest time in two modes, or node by node. */
  rollout: "fast" | "steady";
  /** More Helm values, merged under ours. */
  values: Record<string, unknown>;
}

/** Everything a stack is told, checked, with defaults in place. Made by `loadSettings` only. */
export interface Settings {
  encryption: EncryptionMode;
  wireguard: WireguardSettings;
  ipsec: IpsecSettings;
  /** Cilium's strict mode: pod traffic that would leave a node unencrypted is dropped. */
  strict: boolean;
  /** Drop what is readable between nodes, outside of them where there is such a place, whatever Cilium does. */
  guard: boolean;
  /** Have the API server refuse what would take encryption back, whoever asks. Off where its version cannot (1.29 and older). */
  admission: boolean;
  /** Watch what crosses between the nodes while an update changes them. */
  watch: boolean;
  /** The reason why plaintext is accepted and the last day (YYYY-MM-DD) for which it is. */
  allowPlaintext?: { reason: string; until: string };
  rotation: {
    /** From how many days on the IPsec key is said to be too old; absent: never. */
    maxAgeDays?: number;
  };
  cluster: ClusterSettings;
  cilium: CiliumSettings;
  proof: {
    /** Whether a failed proof fails the update. */
    enforce: boolean;
    /** Ordered node pairs that are tested at most; beyond that a sample in which every node sends and receives. */
    pairs: number | "all";
    /** Seconds for which packets are looked at, at the least. */
    seconds: number;
    /** Image of the probe pods; `sh`, `tcpdump`, `socat`, `ip`, `timeout` and, for the watch, `python3` must be in it. */
    image: string;
  };
}

export interface LoadOptions {
  /** Relative paths in config are meant from here. */
  projectRoot: string;
  /** The current day, YYYY-MM-DD, to judge `allowPlaintext.until` by. */
  today: string;
  /** Full keys that config keeps encrypted; no setting is a secret. */
  secretKeys?: readonly string[];
  /** What `~` stands for. */
  home?: string;
}

/**
 * Stack config as settings: types, defaults and every check, before any resource exists.
 * @param config what Pulumi hands a program: full keys (`wirecloak:encryption`), objects as JSON text. Other namespaces are left alone.
 * @returns the settings, and what is allowed but worth telling
 * @throws UserError with all problems at once
 */
export function loadSettings(
  config: Readonly<Record<string, string>>,
  options: LoadOptions,
): { settings: Settings; warnings: Problem[] } {
  const { raw, problems } = readConfig(config, options.secretKeys ?? []);
  return checkSettings(raw, problems, options);
}

/**
 * What was given as settings: types, defaults and every check.
 * @param raw by the settings' names
 * @param problems what is wrong with it already
 * @throws UserError with all problems at once
 */
export function checkSettings(
  raw: Readonly<Record<string, unknown>>,
  problems: Problem[],
  options: Pick<LoadOptions, "projectRoot" | "today" | "home">,
): { settings: Settings; warnings: Problem[] } {
  const parsed = schema.safeParse(raw);
  const issues = parsed.error?.issues ?? [];
  problems.push(...issues.flatMap((issue) => explain(issue, raw)));

  // The cross-checks still run on what is sound, so that one run tells everything; they skip what was refused above.
  const broken = problems.map((problem) => problem.key);
  let sound: Settings | undefined = parsed.data ?? schema.safeParse(withoutIssues(raw, issues)).data;
  if (sound === undefined) {
    const sections = issues.map((issue) => String(issue.path[0]));
    broken.push(...sections.map((section) => settingKey([section])));
    sound = schema.parse(Object.fromEntries(Object.entries(raw).filter(([name]) => !sections.includes(name))));
  }
  problems.push(...contradictions(raw).filter(({ key }) => !broken.includes(key)));
  sound = withDecisions(sound);
  problems.push(...refusals(sound, options.today, broken));
  if (problems.length > 0) throw new UserError(problems);
  return { settings: withAbsolutePaths(sound, options), warnings: warningsOf(sound) };
}

/** The provider that a config names, whatever else is wrong with it; kind where it names none, undefined where that cannot be told or there is none of that name. */
export function providerIn(config: Readonly<Record<string, string>>): ClusterSettings["provider"] | undefined {
  const { raw, problems } = readConfig(config, []);
  if (problems.some(({ key }) => /^(wirecloak:)?cluster\b/.test(key))) return undefined;
  const { cluster = { provider: "kind" } } = raw;
  const provider: unknown = isObject(cluster) ? Reflect.get(cluster, "provider") : undefined;
  return isProvider(provider) ? provider : undefined;
}

/** Config as the schema wants it: only our namespace, JSON read, and the words true and false as booleans. */
function readConfig(
  config: Readonly<Record<string, string>>,
  secretKeys: readonly string[],
): { raw: Record<string, unknown>; problems: Problem[] } {
  const raw: Record<string, unknown> = {};
  const problems: Problem[] = [];
  for (const [key, text] of Object.entries(config)) {
    // A key without a namespace is the project's own, to Pulumi too.
    const [namespace = "", name = ""] = key.includes(":") ? key.split(/:(.*)/s) : [NAMESPACE, key];
    if (namespace !== NAMESPACE) {
      if (closest(namespace, [NAMESPACE]))
        problems.push({
          key,
          message: `Nothing reads this key. Did you mean ${NAMESPACE}:${name}?`,
          fix: removeCommand(key),
        });
    } else if (secretKeys.includes(key)) {
      problems.push({
        key,
        message:
          "This setting is kept as a secret, but no setting is one: Wirecloak makes the IPsec key itself and never takes one from config.",
        fix: removeCommand(key),
      });
    } else if (OBJECT_KEYS.has(name)) {
      const value = readObject(text);
      if (value === undefined) {
        problems.push({
          key,
          message: "This setting is an object, whose parts are set one by one with --path.",
          fix: removeCommand(key),
        });
      } else raw[name] = name === "cluster" ? { provider: "kind", ...value } : value;
    } else if (SWITCHES.has(name)) {
      raw[name] = text === "true" ? true : text === "false" ? false : text;
    } else if (name === "encryption") {
      raw[name] = text;
    } else if (FIELDS[name] !== undefined) {
      problems.push({
        key,
        message: `This is one key with a dot in its name. To set ${name} itself, give --path.`,
        fix: `pulumi config rm ${key} && ${setCommand(key, FIELDS[name].example)}`,
      });
    } else {
      problems.push(unknownKey([name]));
    }
  }
  return { raw, problems };
}

/** Settings at the top that are true or false. */
const SWITCHES: ReadonlySet<string> = new Set(["strict", "guard", "admission", "watch"]);

const OBJECT_KEYS: ReadonlySet<string> = new Set([
  "wireguard",
  "ipsec",
  "allowPlaintext",
  "rotation",
  "cluster",
  "cilium",
  "proof",
]);

function readObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The raw config without what the issues are about: unknown keys and bad values. */
function withoutIssues(raw: Record<string, unknown>, issues: readonly z.core.$ZodIssue[]): Record<string, unknown> {
  const rest = structuredClone(raw);
  for (const issue of issues) {
    const names = issue.code === "unrecognized_keys" ? issue.keys : [issue.path.at(-1)];
    const holder = issue.path.slice(0, issue.code === "unrecognized_keys" ? undefined : -1);
    const object = holder.reduce<unknown>((at, key) => (isObject(at) ? Reflect.get(at, key) : undefined), rest);
    for (const key of names) if (isObject(object) && key !== undefined) Reflect.deleteProperty(object, key);
  }
  return rest;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** What one setting decides of others, put where the rest of the program reads it. */
function withDecisions(settings: Settings): Settings {
  const { cluster, cilium } = settings;
  if (cluster.provider !== "eks") return settings;
  return { ...settings, cluster: withRanges(cluster), cilium: decidedBy(cluster.network, cilium) };
}

/** Paths as the program needs them: absolute, from the project's folder, `~` spelled out. */
function withAbsolutePaths(
  settings: Settings,
  { projectRoot, home = homedir() }: Pick<LoadOptions, "projectRoot" | "home">,
): Settings {
  const absolute = (path: string) => resolve(projectRoot, path.replace(/^~(?=\/|$)/, home));
  const { cluster, cilium } = settings;
  return {
    ...settings,
    cluster: cluster.provider === "existing" ? { ...cluster, kubeconfig: absolute(cluster.kubeconfig) } : cluster,
    cilium: { ...cilium, chart: /^\w+:\/\//.test(cilium.chart) ? cilium.chart : absolute(cilium.chart) },
  };
}
