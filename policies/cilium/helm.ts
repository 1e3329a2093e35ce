import { at, listAt, type Tree } from "../resource.ts";
import { argumentOptions, environmentOptions, firstOf, mapOptions, type Options } from "./options.ts";
import { minorOf } from "./versions.ts";

/**
 * What an agent takes from a release of the chart: flags before environment before `cilium-config`, to whose end the chart writes `extraConfig`,
 * and the last of two equal keys wins (templates/cilium-configmap.yaml, read in 1.16.19 to 1.20.0).
 */
export function helmOptions(values: Tree, version: string | undefined): Options {
  return firstOf(
    argumentOptions(listAt(values, "extraArgs")),
    environmentOptions(listAt(values, "extraEnv")),
    mapOptions(at(values, "extraConfig")),
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

/** The options that decide about encryption, as the chart's own templates write them into `cilium-config`. */
function renderedOptions(values: Tree, version: string | undefined): Options {
  return { get: (name) => RENDERED[name]?.(values, minorOf(version)) };
}

type Render = (values: Tree, minor: number | undefined) => string | undefined;

/** Of a version that nobody knows the newest spelling is taken, which is what a chart without a version resolves to. */
const NEWEST = 20;

const on = (is: boolean): string | undefined => (is ? "true" : undefined);

const ofType =
  (type: string): Render =>
  (values) =>
    on(isEnabled(values) && typeOf(values) === type);

/** Strict mode is rendered whether encryption is on or not; `egress` began with 1.19, which still reads the flat form, and 1.20 does not. */
const strict = (leaf: "enabled" | "cidr" | "allowRemoteNodeIdentities", values: Tree, minor = NEWEST): unknown => {
  const egress = minor >= 19 ? at(values, "encryption", "strictMode", "egress", leaf) : undefined;
  return egress ?? (minor <= 19 ? at(values, "encryption", "strictMode", leaf) : undefined);
};

const RENDERED: Record<string, Render> = {
  "enable-wireguard": ofType("wireguard"),
  "enable-ipsec": ofType("ipsec"),
  "enable-ztunnel": ofType("ztunnel"),
  "encrypt-node": (values) => on(isEnabled(values) && at(values, "encryption", "nodeEncryption") === true),
  "enable-encryption-strict-mode": (values, minor = NEWEST) =>
    on(minor < 19 && strict("enabled", values, minor) === true),
  "enable-encryption-strict-mode-egress": (values, minor = NEWEST) =>
    on(minor >= 19 && strict("enabled", values, minor) === true),
  "enable-encryption-strict-mode-ingress": (values, minor = NEWEST) =>
    on(minor >= 19 && at(values, "encryption", "strictMode", "ingress", "enabled") === true),
  "encryption-strict-mode-cidr": (values, minor = NEWEST) =>
    minor < 19 ? text(strict("cidr", values, minor)) : undefined,
  "encryption-strict-egress-cidr": (values, minor = NEWEST) =>
    minor >= 19 ? text(strict("cidr", values, minor)) : undefined,
  "enable-l7-proxy": (values) => String(at(values, "l7Proxy") !== false),
  // Unset: on for whatever was first installed with 1.15 or later.
  "dnsproxy-enable-transparent-mode": (values) => text(at(values, "dnsProxy", "enableTransparentMode")) ?? "true",
  "enable-host-firewall": (values) => on(at(values, "hostFirewall", "enabled") === true),
  "cni-chaining-mode": (values) => text(at(values, "cni", "chainingMode")),
  "routing-mode": (values) => text(at(values, "routingMode")) ?? "tunnel",
  "enable-ipsec-key-watcher": (values) => text(at(values, "encryption", "ipsec", "keyWatcher")),
  "cluster-name": (values) => text(at(values, "cluster", "name")),
};

function text(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}
