import { isOn, modeOf } from "../cilium/options.ts";
import type { CiliumPiece } from "../cilium/pieces.ts";
import { minorOf } from "../cilium/versions.ts";
import type { Rule } from "../rule.ts";

/** What turns strict mode on: the first up to 1.19, the second from then on. */
const FLAT = "enable-encryption-strict-mode";
const EGRESS = "enable-encryption-strict-mode-egress";

/** Pod traffic that would leave a node unencrypted is dropped, where that is asked for. */
export const ciliumStrictRequired: Rule = {
  name: "cilium-strict-required",
  title: "Pod traffic that would leave a node unencrypted is dropped",
  description:
    "Where the option `required` is true, Cilium's strict mode is on and effective in the mode and version in use: with IPsec it does nothing before 1.19. Without it nothing is asked.",
  level: "mandatory",
  severity: "high",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8" }],
  remediation: [
    "Set encryption.strictMode.egress.enabled: true and .cidr to the pods' range; up to Cilium 1.18 encryption.strictMode.enabled and .cidr.",
    "With IPsec, move to Cilium 1.19 or later.",
  ],
  url: "https://docs.cilium.io/en/stable/security/network/encryption/#egress-traffic-to-not-yet-discovered-remote-endpoints-may-be-unencrypted",
  options: { required: { type: "boolean" } },
  check: (piece, { required }) => {
    if (required !== true || piece.kind !== "cilium") return [];
    return piece.extent === "whole" ? ofWhole(piece) : ofPart(piece);
  },
};

function ofWhole({ what, options, version }: CiliumPiece): string[] {
  const [isFlat, isEgress] = [isOn(options.get(FLAT)), isOn(options.get(EGRESS))];
  const minor = version ? minorOf(version()) : undefined;
  const drops = `${what}: pod traffic that would leave a node unencrypted is not dropped`;
  // A bare cilium-config does not tell the version, so that either spelling counts.
  const isRead = (isFlat && (minor ?? 0) < 20) || (isEgress && (minor ?? 19) >= 19);
  if (!isRead) return [`${drops}, as strict mode is ${isFlat || isEgress ? "spelled for another version" : "off"}`];
  const mode = modeOf(options);
  if (mode === "none" || mode === "ztunnel") return [`${drops}, as strict mode does nothing without encryption`];
  if (mode === "ipsec" && ((!isEgress && minor === undefined) || (minor ?? 19) < 19))
    return [`${drops}, as strict mode does nothing with IPsec before Cilium 1.19`];
  return [];
}

function ofPart({ what, options }: CiliumPiece): string[] {
  return [FLAT, EGRESS]
    .map((name) => [name, options.get(name)] as const)
    .filter(([, value]) => value !== undefined && !isOn(value))
    .map(([name, value]) => `${what}: ${name} is ${value}, so strict mode is off for the agents that it is for`);
}
