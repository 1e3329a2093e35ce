import coerce from "semver/functions/coerce.js";
import lt from "semver/functions/lt.js";
import { at, isTree, listAt, type Tree } from "../resource.ts";
import { argumentOptions, environmentOptions, firstOf, mapOptions, type Options } from "./options.ts";
import { minorOf, type Version } from "./versions.ts";

/**
 * What an agent takes from a release of the chart: flags before environment before `cilium-config`, to whose end the chart writes `extraConfig`,
 * and the last of two equal keys wins (templates/cilium-configmap.yaml, read in 1.16.19 to 1.20.0).
 */
export function helmOptions(values: Tree, version: () => Version): Options {
  // Each is read when it is asked, since any may be unknown.
  return firstOf(
    { get: (name) => argumentOptions(listAt(values, "extraArgs")).get(name) },
    { get: (name) => environmentOptions(listAt(values, "extraEnv")).get(name) },
    { get: (name) => mapOptions(at(values, "extraConfig")).get(name) },
    renderedOptions(values, version),
  );
}

/** Whether the chart renders any encryption: a text "false" would be as true as "true" to its templates, and its schema refuses both. */
export function isEnabled(values: Tree): boolean {
  return at(values, "encryption", "enabled") === true;
}

/** What the templates compare with; the chart's default where nothing is said, and undefined where it is no text. */
export function typeOf(values: Tree): string | undefined {
  const type = at(values, "encryption", "type");
  if (type === undefined || type === null) return "ipsec";
  return typeof type === "string" ? type : undefined;
}

/** Whether these values make the chart render `cilium-config` at all: a preflight release does not, nor one of neither agents nor operator. */
export function rendersConfig(values: Tree): boolean {
  if (at(values, "preflight", "enabled") === true) return false;
  const parts = [["agent"], ["operator", "enabled"]];
  return parts.some((path) => at(values, ...path) !== false) || at(values, "clustermesh", "useAPIServer") === true;
}

/** The options that decide about encryption, as the chart's own templates write them into `cilium-config`. */
function renderedOptions(values: Tree, version: () => Version): Options {
  // The newest spelling where no version is known, which is what a chart without one resolves to.
  const minor = (): number => minorOf(version()) ?? NEWEST;
  return { get: (name) => RENDERED[name]?.(values, minor) };
}

type Render = (values: Tree, minor: () => number) => string | undefined;

const NEWEST = 20;

const on = (is: boolean): string | undefined => (is ? "true" : undefined);

const ofType =
  (type: string): Render =>
  (values) =>
    on(isEnabled(values) && typeOf(values) === type);

/** Strict mode that is on, by where its values are: `egress` began with 1.19, which still reads the flat form, and 1.20 does not. It is rendered whether encryption is on or not. */
function strictMode(values: Tree, minor: number): Tree | undefined {
  const flat = at(values, "encryption", "strictMode");
  const forms = [...(minor >= 19 ? [at(flat, "egress")] : []), ...(minor <= 19 ? [flat] : [])];
  return forms.filter(isTree).find((form) => at(form, "enabled") === true);
}

const strictOption =
  (since: "flat" | "egress", leaf: string): Render =>
  (values, minor) => {
    if (at(values, "encryption", "strictMode") === undefined) return undefined;
    return since === (minor() >= 19 ? "egress" : "flat") ? text(at(strictMode(values, minor()), leaf)) : undefined;
  };

const RENDERED: Record<string, Render> = {
  "enable-wireguard": ofType("wireguard"),
  "enable-ipsec": ofType("ipsec"),
  "enable-ztunnel": ofType("ztunnel"),
  "encrypt-node": (values) => on(isEnabled(values) && at(values, "encryption", "nodeEncryption") === true),
  "enable-encryption-strict-mode": strictOption("flat", "enabled"),
  "enable-encryption-strict-mode-egress": strictOption("egress", "enabled"),
  "enable-encryption-strict-mode-ingress": (values, minor) =>
    on(at(values, "encryption", "strictMode", "ingress", "enabled") === true && minor() >= 19),
  "encryption-strict-mode-cidr": strictOption("flat", "cidr"),
  "encryption-strict-egress-cidr": strictOption("egress", "cidr"),
  "enable-l7-proxy": (values) => String(at(values, "l7Proxy") !== false),
  "dnsproxy-enable-transparent-mode": (values) =>
    text(at(values, "dnsProxy", "enableTransparentMode")) ?? on(!isUpgradeOfOld(values)),
  "enable-host-firewall": (values) => on(at(values, "hostFirewall", "enabled") === true),
  "cni-chaining-mode": (values) =>
    text(at(values, "cni", "chainingMode")) ?? (text(at(values, "cni", "chainingTarget")) && "generic-veth"),
  "routing-mode": (values) => text(at(values, "routingMode")) ?? "tunnel",
  "agent-not-ready-taint-key": (values) => text(at(values, "agentNotReadyTaintKey")),
  "cluster-name": (values) => text(at(values, "cluster", "name")),
};

/** Whether the values ask for the defaults of before 1.12, in which DNS proxies were not transparent. */
function isUpgradeOfOld(values: Tree): boolean {
  const first = coerce(text(at(values, "upgradeCompatibility")));
  return first !== null && lt(first, "1.12.0");
}

function text(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}
