import { isOn, type Options } from "../cilium/options.ts";
import { minorOf } from "../cilium/versions.ts";
import type { Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** A conflict that agents end with when they start, or that Cilium does not support. */
interface Conflict {
  isThere: (options: Options, minor: () => number | undefined) => boolean;
  message: string;
}

const on = (options: Options, name: string, otherwise = "false"): boolean => isOn(options.get(name) ?? otherwise);
const ipsec = (options: Options): boolean => on(options, "enable-ipsec");

/** daemon/cmd/daemon.go, validateDaemonConfig; pkg/option/config.go; cilium/cilium#15596. The second of each pair is the agent's own default. */
const CONFLICTS: readonly Conflict[] = [
  {
    isThere: (options) => ipsec(options) && on(options, "enable-wireguard"),
    message: "WireGuard and IPsec are both on",
  },
  {
    isThere: (options) =>
      ipsec(options) &&
      on(options, "enable-l7-proxy", "true") &&
      !on(options, "dnsproxy-enable-transparent-mode") &&
      !on(options, "dnsproxy-insecure-skip-transparent-mode-check"),
    message: "IPsec with the L7 proxy needs dnsProxy.enableTransparentMode: true",
  },
  {
    isThere: (options) => ipsec(options) && on(options, "enable-host-firewall"),
    message: "there is no host firewall with IPsec",
  },
  {
    isThere: (options) => ipsec(options) && options.get("cni-chaining-mode") === "aws-cni",
    message: "IPsec is not supported when chained to aws-cni (cilium/cilium#15596)",
  },
  {
    isThere: (options) => ipsec(options) && on(options, "enable-encryption-strict-mode-ingress"),
    message: "there is no strict mode for incoming traffic with IPsec",
  },
  {
    isThere: (options, minor) =>
      on(options, "enable-encryption-strict-mode-ingress") &&
      options.get("routing-mode") === "native" &&
      minor() === 19,
    message: "Cilium 1.19 has strict mode for incoming traffic with a tunnel only",
  },
  {
    isThere: (options) =>
      (on(options, "enable-encryption-strict-mode-egress") && !isRange(options.get("encryption-strict-egress-cidr"))) ||
      (on(options, "enable-encryption-strict-mode") && !isRange(options.get("encryption-strict-mode-cidr"))),
    message: "strict mode needs a cidr, an IPv4 one",
  },
  {
    isThere: (options) =>
      !on(options, "enable-ciliumnode-crd", "true") && (ipsec(options) || on(options, "enable-wireguard")),
    message: "encryption needs the CiliumNode resources, which enable-ciliumnode-crd turns off",
  },
];

/** Nothing beside encryption keeps agents from starting with it. */
export const ciliumAgentWouldNotStart: Rule = {
  name: "cilium-agent-would-not-start",
  title: "Agents start with these settings",
  description:
    "Nothing in the agents' configuration excludes the encryption beside it: agents would end when they start, which Helm and previews do not tell, or would run in a way that Cilium does not support.",
  level: "mandatory",
  severity: "medium",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8(1)" }],
  remediation: ["Take out one of the two settings that exclude each other."],
  url: "https://docs.cilium.io/en/stable/security/network/encryption-ipsec/#limitations",
  check: (piece) => {
    if (piece.kind !== "cilium") return [];
    const { what, options, version, extent } = piece;
    const minor = (): number | undefined => version && minorOf(version());
    // A part leaves the rest as it is, so that it conflicts with itself only.
    const conflicts = extent === "whole" ? CONFLICTS : CONFLICTS.slice(0, 1);
    return inEach(conflicts, ({ isThere, message }) =>
      isThere(options, minor) ? [`${what}: ${message}, so agents would not run`] : [],
    );
  },
};

function isRange(cidr: string | undefined): boolean {
  const [, octets = "", bits = ""] = /^((?:\d{1,3}\.){3}\d{1,3})\/(\d{1,2})$/.exec(cidr?.trim() ?? "") ?? [];
  return octets !== "" && octets.split(".").every((octet) => Number(octet) <= 255) && Number(bits) <= 32;
}
