import { isChart } from "../cilium/charts.ts";
import { isEnabled } from "../cilium/helm.ts";
import { isOn, modeOf } from "../cilium/options.ts";
import { type CiliumPiece, piecesOf } from "../cilium/pieces.ts";
import { ALLOW_PLAINTEXT_SCHEMA, plaintextGrace } from "../exemption.ts";
import { at, isTree, type Resource, treeAt } from "../resource.ts";
import type { Rule } from "../rule.ts";

const OPTIONS = ["enable-wireguard", "enable-ipsec"] as const;

/** Cilium encrypts traffic between nodes, by everything that has a say in it. */
export const ciliumEncryptionEnabled: Rule = {
  name: "cilium-encryption-enabled",
  title: "Cilium encrypts traffic between nodes",
  description:
    "Transparent encryption is on in the effective configuration of Cilium's agents: Helm values, cilium-config, CiliumNodeConfigs, flags and environment.",
  level: "mandatory",
  severity: "critical",
  supports: [
    { framework: "PCI DSS 4.0.1", clause: "4.2.1" },
    { framework: "NIST SP 800-53r5", clause: "SC-8, SC-8(1)" },
    { framework: "HIPAA", clause: "164.312(e)(1)" },
    { framework: "ISO 27001:2022", clause: "A.8.24, A.8.20" },
    { framework: "SOC 2", clause: "CC6.7" },
    { framework: "CIS Controls v8", clause: "3.10" },
  ],
  remediation: [
    "Set encryption.enabled: true and encryption.type: wireguard in the values of the cilium chart.",
    "Take enable-wireguard and enable-ipsec out of extraConfig, extraArgs, extraEnv and CiliumNodeConfigs.",
  ],
  url: "https://docs.cilium.io/en/stable/security/network/encryption/",
  options: { allowPlaintext: ALLOW_PLAINTEXT_SCHEMA },
  check: (piece, config, where) => {
    if (piece.kind !== "cilium") return [];
    const messages = [...(piece.extent === "whole" ? ofWhole(piece) : ofPart(piece)), ...ofSources(piece)];
    const grace = plaintextGrace(config, where);
    return grace?.isValid ? [] : messages.map((message) => `${message}${grace?.ended ?? ""}`);
  },
  mend: turnOn,
};

function ofWhole({ what, options, helm }: CiliumPiece): string[] {
  const mode = modeOf(options);
  if (mode === "wireguard" || mode === "ipsec" || mode === "both") return [];
  // A type that the chart does not know is another rule's.
  const off = OPTIONS.filter((name) => options.get(name) !== undefined);
  if (helm && isEnabled(helm.values) && off.length === 0) return [];
  const why =
    off.length > 0
      ? off.map((name) => `${name} is ${options.get(name)}`).join(", ")
      : helm
        ? "encryption.enabled is not true"
        : "neither enable-wireguard nor enable-ipsec is on";
  return [`${what}: ${why}, so traffic between nodes is not encrypted`];
}

/** A part knows nothing of the rest, so it may turn one off only where it turns the other on. */
function ofPart({ what, options }: CiliumPiece): string[] {
  if (OPTIONS.some((name) => isOn(options.get(name)))) return [];
  return OPTIONS.filter((name) => options.get(name) !== undefined).map(
    (name) => `${what}: ${name} is ${options.get(name)}, which turns encryption off for the agents that it is for`,
  );
}

/** Where the chart has agents read their configuration from (`cilium-dbg build-config`, `--config-dir`). What is read from elsewhere is not judged here. */
const OWN_SOURCE = /^(config-map:([^/]+\/)?cilium-config|cilium-node-config(-legacy)?:.*|node:.*)$/;
const OWN_FOLDER = "/tmp/cilium/config-map";

function ofSources({ what, options, sources }: CiliumPiece): string[] {
  const foreign = (sources?.() ?? "").split(",").filter((source) => source !== "" && !OWN_SOURCE.test(source.trim()));
  const folder = options.get("config-dir") ?? OWN_FOLDER;
  return [...foreign, ...(folder === OWN_FOLDER ? [] : [folder])].map(
    (source) => `${what}: agents take their configuration from ${source}, which may turn encryption off unseen`,
  );
}

/** Where nothing at all is said of encryption, so that nobody has decided against it. */
function turnOn(resource: Resource): boolean {
  if (!isChart(resource)) return false;
  const [piece] = piecesOf(resource);
  if (piece?.kind !== "cilium" || !piece.helm || piece.helm.inner !== undefined) return false;
  const said = at(piece.helm.values, "encryption");
  if (isTree(said) && ["enabled", "type", "ipsec", "ztunnel"].some((name) => name in said)) return false;
  if (OPTIONS.some((name) => piece.options.get(name) !== undefined) || ofSources(piece).length > 0) return false;
  Object.assign(treeAt(treeAt(resource.props, "values"), "encryption"), { enabled: true, type: "wireguard" });
  return true;
}
