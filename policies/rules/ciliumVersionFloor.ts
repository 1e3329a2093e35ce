import lt from "semver/functions/lt.js";
import valid from "semver/functions/valid.js";
import { minorOf, type Version } from "../cilium/versions.ts";
import type { Rule } from "../rule.ts";

/** An advisory about encryption: the first minor version that has it, and the first versions without it. */
interface Advisory {
  id: string;
  what: string;
  since: number;
  fixed: readonly string[];
}

/** https://github.com/cilium/cilium/security/advisories. A later one stands for the earlier ones of its minor versions. */
const ADVISORIES: readonly Advisory[] = [
  {
    id: "CVE-2025-32793 (GHSA-5vxx-c285-pcq4)",
    what: "packets of pods that end leave nodes unencrypted with WireGuard",
    since: 15,
    fixed: ["1.15.16", "1.16.9", "1.17.3"],
  },
  {
    id: "CVE-2024-28860 (GHSA-pwqm-x5x6-5586)",
    what: "IPsec can be broken, as all nodes share one key",
    since: 4,
    fixed: ["1.13.13", "1.14.9", "1.15.3"],
  },
];

/** Cilium is pinned to a version without known faults in its encryption. */
export const ciliumVersionFloor: Rule = {
  name: "cilium-version-floor",
  title: "Cilium is pinned to a version whose encryption holds",
  description:
    "Cilium's version is an exact one, has no published advisory about its encryption, and is not below the option `minimum`.",
  level: "mandatory",
  severity: "high",
  supports: [
    { framework: "PCI DSS 4.0.1", clause: "6.3.3" },
    { framework: "NIST SP 800-53r5", clause: "SI-2" },
    { framework: "ISO 27001:2022", clause: "A.8.8" },
    { framework: "SOC 2", clause: "CC7.1" },
    { framework: "CIS Controls v8", clause: "7" },
  ],
  remediation: ["Set the chart's version to an exact one that Cilium still maintains, one minor version at a time."],
  url: "https://github.com/cilium/cilium/security/advisories",
  options: { minimum: { type: "string" } },
  check: function* (piece, { minimum }) {
    if (piece.kind !== "cilium" || !piece.version) return;
    const version = piece.version();
    const { exact, floating } = version;
    if (floating !== undefined)
      yield `${piece.what}: the version is not pinned (${floating === "" ? "there is none" : floating}), so that it may change by itself`;
    if (exact === undefined) return;
    const advisory = advisoryOn(version);
    if (advisory) yield `${piece.what}: Cilium ${exact} has ${advisory.id}: ${advisory.what}`;
    if (typeof minimum !== "string") return;
    const floor = valid(minimum.replace(/^v/, ""));
    if (floor === null) yield `${piece.what}: the option minimum, ${minimum}, is no version such as 1.20.2`;
    else if (lt(exact, floor)) yield `${piece.what}: Cilium ${exact} is below ${floor}, which is asked for`;
  },
};

function advisoryOn(version: Version): Advisory | undefined {
  const { exact } = version;
  const minor = minorOf(version);
  if (exact === undefined || minor === undefined) return undefined;
  return ADVISORIES.find(({ since, fixed }) => {
    const fix = fixed.find((each) => minorOf({ exact: each }) === minor);
    // Of minor versions before the fixed ones there is none without it.
    return minor >= since && (fix ? lt(exact, fix) : lt(exact, fixed[0] ?? exact));
  });
}
