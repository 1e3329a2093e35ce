import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import { parse, stringify } from "yaml";
import { type ClusterFacts, ciliumValues } from "../components/encryption/values.ts";
import { loadSettings, type Settings } from "../components/settings.ts";
import { NAMESPACE, settingKey } from "../components/settingsFields.ts";
import { type Problem, render, UserError } from "../components/userError.ts";
import { readStackConfig } from "./stackConfig.ts";

/** The flags that stand for a setting: its path, and what the flag's text becomes in config. */
const SETTING_FLAGS: readonly {
  flag: string;
  path: string;
  value?: string;
  help: string;
  kind?: "number" | "switch";
}[] = [
  { flag: "cilium", path: "cilium.version", value: "<version>", help: "Cilium's full version" },
  { flag: "encryption", path: "encryption", value: "<mode>", help: "wireguard, ipsec or none" },
  {
    flag: "node-encryption",
    path: "wireguard.nodeEncryption",
    kind: "switch",
    help: "encrypt node-to-node traffic too (WireGuard)",
  },
  {
    flag: "persistent-keepalive",
    path: "wireguard.persistentKeepalive",
    value: "<duration>",
    help: "WireGuard's keepalive",
  },
  {
    flag: "userspace-fallback",
    path: "wireguard.userspaceFallback",
    kind: "switch",
    help: "WireGuard in user space (1.16)",
  },
  { flag: "key-id", path: "ipsec.keyId", value: "<id>", kind: "number", help: "IPsec key id, 1 to 15" },
  { flag: "key-bits", path: "ipsec.keyBits", value: "<bits>", kind: "number", help: "AES key size, 128 or 256" },
  {
    flag: "key-rotation-duration",
    path: "ipsec.keyRotationDuration",
    value: "<duration>",
    help: "how long the old key is accepted",
  },
  {
    flag: "encrypted-overlay",
    path: "ipsec.encryptedOverlay",
    kind: "switch",
    help: "encrypt the overlay's header (1.16, 1.17)",
  },
  { flag: "ipsec-interface", path: "ipsec.interface", value: "<device>", help: "device of IPsec (1.16 to 1.19)" },
  { flag: "strict", path: "strict", kind: "switch", help: "drop pod traffic that would leave in clear" },
  { flag: "name", path: "cluster.name", value: "<name>", help: "Cilium's cluster name" },
  { flag: "pod-cidr", path: "cluster.podCidr", value: "<range>", help: "the pods' range" },
  { flag: "routing", path: "cilium.routing", value: "<mode>", help: "tunnel or native" },
  { flag: "tunnel", path: "cilium.tunnel", value: "<protocol>", help: "vxlan or geneve" },
  {
    flag: "native-cidr",
    path: "cilium.nativeCidr",
    value: "<range>",
    help: "the range that native routing does not masquerade",
  },
  { flag: "ipam", path: "cilium.ipam", value: "<mode>", help: "kubernetes or cluster-pool" },
  {
    flag: "kube-proxy-replacement",
    path: "cilium.kubeProxyReplacement",
    kind: "switch",
    help: "Cilium does kube-proxy's work",
  },
  { flag: "hubble", path: "cilium.hubble", kind: "switch", help: "Hubble with relay and UI" },
];

type Flags = Readonly<Record<string, string | boolean | undefined>>;

/**
 * Adds `wirecloak values`: the Helm values for given settings, without a stack or a cluster. Its action throws a UserError with the same
 * problems as a stack with these settings would have.
 */
export function registerValues(program: Command): void {
  const command = program
    .command("values")
    .description(
      "print the Helm values of the cilium chart for given settings, as YAML; needs no stack and no cluster",
    );
  for (const { flag, value, help, kind } of SETTING_FLAGS) {
    command.option(`--${flag}${value ? ` ${value}` : ""}`, help);
    if (kind === "switch") command.addOption(command.createOption(`--no-${flag}`).hideHelp());
  }
  command
    .option("--api-server <host:port>", "the API server's address for kube-proxy replacement, as nodes reach it")
    .option("--boot-id-file <path>", "a file with a boot id of each node's own (IPsec, where nodes share a kernel)")
    .option("--values <file>", "more Helm values, YAML, merged under ours")
    .option("--config-file <file>", "begin with the settings of a stack's config file, such as Pulumi.dev.yaml")
    .option("--json", "print JSON instead of YAML")
    .addHelpText("after", "\nEvery switch has a --no- form, such as --no-hubble.")
    .action((flags: Flags) => {
      const { values, warnings } = printedValues(flags, new Date().toISOString().slice(0, 10));
      if (warnings.length > 0) console.error(render(warnings));
      process.stdout.write(flags.json ? `${JSON.stringify(values, null, 2)}\n` : stringify(values));
    });
}

/** What `wirecloak values` prints for these flags. Reads the files that they name. */
export function printedValues(flags: Flags, today: string): { values: Record<string, unknown>; warnings: Problem[] } {
  const file = text(flags.configFile);
  const config = withFlags(file === undefined ? elsewhere(flags) : readStackConfig(file), flags, today);
  const facts = clusterFacts(flags);
  const { settings, warnings } = inFlags(flags, () =>
    loadSettings(config, { projectRoot: file ? dirname(resolve(file)) : process.cwd(), today }),
  );
  return { values: ciliumValues(settings, facts), warnings: [...warnings, ...notices(settings, facts, flags)] };
}

/** What whoever installs these values should know, and a stack would see to by itself. */
function notices(
  { encryption, strict, cilium, cluster }: Settings,
  { apiServer }: ClusterFacts,
  flags: Flags,
): Problem[] {
  const all: Problem[] = [];
  const notice = (key: string, message: string) => all.push({ key, message });
  if (encryption === "none") {
    notice(
      "--encryption none",
      "These values install Cilium without encryption: traffic between nodes is readable on the wire.",
    );
  }
  if (cilium.kubeProxyReplacement && apiServer === undefined) {
    notice(
      "--api-server",
      "In place of kube-proxy, agents need the API server's own address to start: give it, or --no-kube-proxy-replacement.",
    );
  }
  if (flags.configFile === undefined && flags.podCidr === undefined && (strict || cilium.ipam === "cluster-pool")) {
    notice(
      "--pod-cidr",
      `Taken for ${cluster.podCidr}. Where pods have other addresses, strict mode would not protect them.`,
    );
  }
  if (
    cluster.provider === "existing" &&
    cilium.routing === "native" &&
    cilium.values.autoDirectNodeRoutes === undefined
  ) {
    notice(
      "--routing native",
      "Where all nodes share one network segment, add `autoDirectNodeRoutes: true` by --values.",
    );
  }
  return all;
}

/** Without a config file the values are for a cluster made elsewhere. Its kubeconfig is not read to print them. */
function elsewhere(flags: Flags): Record<string, string> {
  const podCidr = flags.podCidr ?? flags.nativeCidr ?? "10.244.0.0/16";
  return { cluster: JSON.stringify({ provider: "existing", kubeconfig: "not read", podCidr }) };
}

/** Config with the flags over it. */
function withFlags(base: Readonly<Record<string, string>>, flags: Flags, today: string): Record<string, string> {
  const config = Object.fromEntries(
    Object.entries(base).map(([key, value]) => [key.includes(":") ? key : `${NAMESPACE}:${key}`, value]),
  );
  const set = (path: string, value: unknown) => {
    const [section = "", name] = path.split(".");
    const key = settingKey([section]);
    config[key] = name === undefined ? String(value) : JSON.stringify({ ...objectIn(config[key]), [name]: value });
  };
  for (const { flag, path, kind } of SETTING_FLAGS) {
    const given = flags[optionName(flag)];
    if (given !== undefined) set(path, kind === "number" && /^\d+$/.test(String(given)) ? Number(given) : given);
  }
  if (flags.values !== undefined) set("cilium.values", readValues(String(flags.values)));
  const encryption = config[settingKey(["encryption"])];
  // A setting may wait for its mode; a flag that asks for what its mode cannot do is a mistake.
  if (flags.nodeEncryption === true && encryption === "ipsec") set("ipsec.nodeEncryption", true);
  // A stack has to say why it runs in plaintext; to print values is harmless, and a notice goes with them.
  if (encryption === "none" && config[settingKey(["allowPlaintext"])] === undefined) {
    set("allowPlaintext.reason", "only printed");
    set("allowPlaintext.until", today);
  }
  return config;
}

/** The object in a config value; empty where there is none, for `loadSettings` to complain of. */
function objectIn(value: string | undefined): object {
  try {
    return Object(JSON.parse(value ?? "{}"));
  } catch {
    return {};
  }
}

function readValues(file: string): Record<string, unknown> {
  const problem = (message: string) =>
    new UserError([{ key: "--values", value: file, message, allowed: "a YAML file of Helm values" }]);
  let values: unknown;
  try {
    values = parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw problem(`It cannot be read: ${(error as Error).message}`);
  }
  if (typeof values !== "object" || Array.isArray(values)) throw problem("It holds no mapping.");
  return { ...values };
}

function clusterFacts(flags: Flags): ClusterFacts {
  const bootIdFile = text(flags.bootIdFile);
  const apiServer = text(flags.apiServer);
  const [, host, port] = /^(?:https:\/\/)?(\[[\da-f:]+\]|[^:/\s]+):(\d+)$/i.exec(apiServer ?? "") ?? [];
  if (apiServer !== undefined && (host === undefined || Number(port) > 65535)) {
    throw new UserError([
      {
        key: "--api-server",
        value: apiServer,
        message: "This is no address.",
        allowed: "HOST:PORT",
        fix: "--api-server 10.0.0.1:6443",
      },
    ]);
  }
  return {
    ...(host !== undefined && { apiServer: { host: host.replace(/^\[|\]$/g, ""), port: Number(port) } }),
    ...(bootIdFile !== undefined && { bootIdFile }),
  };
}

/** Runs `load`; its problems speak of the flags that were given, not of config keys that were not. */
function inFlags<T>(flags: Flags, load: () => T): T {
  try {
    return load();
  } catch (error) {
    throw error instanceof UserError ? new UserError(error.problems.map((problem) => asFlag(problem, flags))) : error;
  }
}

function asFlag(problem: Problem, flags: Flags): Problem {
  const valuesKey = settingKey(["cilium", "values"]);
  if (problem.key.startsWith(valuesKey) && flags.values !== undefined) {
    const key = problem.key.slice(valuesKey.length).replace(/^\./, "");
    return { ...problem, key: `--values ${flags.values}: ${key}`, fix: `remove ${key} from ${flags.values}` };
  }
  const path = problem.key.slice(NAMESPACE.length + 1).replace("ipsec.nodeEncryption", "wireguard.nodeEncryption");
  const known = SETTING_FLAGS.find((flag) => flag.path === path);
  const isGiven = known !== undefined && flags[optionName(known.flag)] !== undefined;
  if (known === undefined || (flags.configFile !== undefined && !isGiven)) return problem;
  const [, value] = /^pulumi config set (?:--path )?\S+ (\S+)/.exec(problem.fix ?? "") ?? [];
  const fix = known.kind === "switch" ? `--${value === "false" ? "no-" : ""}${known.flag}` : `--${known.flag} ${value}`;
  return { ...problem, key: `--${known.flag}`, fix: value === undefined ? `leave out --${known.flag}` : fix };
}

function optionName(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function text(flag: string | boolean | undefined): string | undefined {
  return typeof flag === "string" ? flag : undefined;
}
