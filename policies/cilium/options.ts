import { at, isTree, listAt, type Tree, textAt, UnreadError } from "../resource.ts";

/** Options of the Cilium agent by their names in ConfigMap `cilium-config`. Asked one by one, so that an unknown value hides no other. */
export interface Options {
  /** What the agent will take for this option; undefined: nothing is said here, and its own default holds. */
  get(name: string): string | undefined;
}

/** Go's strconv.ParseBool, which viper reads flags with; any other text counts as off. */
export function isOn(text: string | undefined): boolean {
  return text !== undefined && ["1", "t", "T", "TRUE", "true", "True"].includes(text);
}

/** How pods are encrypted between nodes. With both on, agents do not start (daemon/cmd/daemon.go). */
export type Mode = "wireguard" | "ipsec" | "ztunnel" | "both" | "none";

export function modeOf(options: Options): Mode {
  const [wireguard, ipsec] = [isOn(options.get("enable-wireguard")), isOn(options.get("enable-ipsec"))];
  if (wireguard && ipsec) return "both";
  if (wireguard) return "wireguard";
  if (ipsec) return "ipsec";
  return isOn(options.get("enable-ztunnel")) ? "ztunnel" : "none";
}

/** The options in a map of texts: the data of `cilium-config`, or the defaults of a CiliumNodeConfig. */
export function mapOptions(map: unknown): Options {
  return { get: (name) => asText(at(map, name)) };
}

/** The first of these that says something of an option wins. */
export function firstOf(...sources: Options[]): Options {
  return {
    get: (name) => {
      for (const source of sources) {
        const text = source.get(name);
        if (text !== undefined) return text;
      }
      return undefined;
    },
  };
}

/** Options in the agent's command line: `--enable-ipsec=false`, or bare for true. The last one wins. */
export function argumentOptions(args: readonly unknown[]): Options {
  return {
    get: (name) => {
      const given = args.flatMap((each) => {
        const [, flag, value = "true"] = /^-{1,2}([^=\s]+)(?:[=\s](.*))?$/s.exec(String(each)) ?? [];
        return flag === undefined || normal(flag) !== name ? [] : [value.trim()];
      });
      return given.at(-1);
    },
  };
}

/** Options in the agent's environment: `CILIUM_ENABLE_IPSEC`. What is taken from elsewhere (`valueFrom`) cannot be read here. */
export function environmentOptions(env: readonly unknown[]): Options {
  return {
    get: (name) => {
      const given = env.filter((each) => normal(textAt(each, "name") ?? "") === `cilium-${name}`).at(-1);
      if (at(given, "valueFrom") !== undefined)
        throw new UnreadError(`the agents' ${name} comes from elsewhere (valueFrom of ${textAt(given, "name")})`);
      return asText(at(given, "value"));
    },
  };
}

/** The options that a container of the agent's DaemonSet is started with. */
export function containerOptions(container: Tree): Options {
  const args = [...listAt(container, "command"), ...listAt(container, "args")];
  return firstOf(argumentOptions(args), environmentOptions(listAt(container, "env")));
}

/** viper knows no case, and takes `_` for `-` in the environment. */
function normal(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

/** A ConfigMap holds texts, but Helm writes numbers and booleans as such. */
function asText(value: unknown): string | undefined {
  return value === undefined || value === null || isTree(value) ? undefined : String(value);
}
