import type { SemVer } from "semver";
import coerce from "semver/functions/coerce.js";
import { configuredMode } from "../../prover/configuredMode.ts";
import { keyAgeDays } from "../../prover/live/keyAge.ts";
import { allowedBy, alternatives } from "../encryption/admission/params.ts";
import { formsOf } from "../encryption/guard/forms.ts";
import type { EksNetwork, EncryptionMode, Settings } from "../settings.ts";
import { NAMESPACE, setCommand } from "../settingsFields.ts";
import type { Problem } from "../userError.ts";
import type { Live } from "./live.ts";
import { announcedIds, rotationProblems } from "./rotation.ts";

/**
 * Why the live cluster cannot be brought to these settings in one update without a plaintext packet or a cut-off node, all reasons at once.
 * Pure. Empty also where nothing runs yet, or what runs never ran well: then there is nothing to lose.
 */
export function preflight(settings: Settings, live: Live, now: Date): Problem[] {
  if (!hasRun(live)) return elsewhere(settings, live);
  return [
    ...network(settings, live),
    ...upgrade(settings, live),
    ...guardTurnedOff(settings, live),
    ...admissionTurnedOff(settings, live),
    ...rotationProblems(settings, live, now),
  ];
}

/** What will happen and is allowed, but worth telling before it does. */
export function preflightWarnings(settings: Settings, live: Live, now: Date): Problem[] {
  if (!hasRun(live)) return [];
  return [...unmodelled(settings, live), ...downgrade(settings, live), ...keyAge(settings, live, now)];
}

/** Some agent is or was well: else a first install may be tried again with any settings. */
function hasRun(live: Live): boolean {
  return live.config !== null && (live.record !== null || live.agents.some(({ ready }) => ready));
}

/** Cilium runs in another namespace. Pulumi would replace the release, since Helm cannot move one. */
function elsewhere({ cilium }: Settings, { ciliumIn }: Live): Problem[] {
  const namespace = ciliumIn.find((each) => each !== cilium.namespace);
  if (namespace === undefined) return [];
  return [
    {
      key: `${NAMESPACE}:cilium.namespace`,
      value: cilium.namespace,
      message: `The live cluster's Cilium is in ${namespace}. Helm moves no release: it would be removed, and with it the network of all pods, before another is installed.`,
      allowed: `${namespace} in this cluster`,
      fix: setCommand(`${NAMESPACE}:cilium.namespace`, namespace),
    },
  ];
}

/** How cilium-config has agents encrypt; what they announce counts too, since a hand may have been at either. */
export function liveModes(live: Live): EncryptionMode[] {
  const configured = configuredMode(live.config?.data ?? {});
  return announcedIds(live).length > 0 && configured !== "ipsec" ? [configured, "ipsec"] : [configured];
}

/** On EKS one setting decides both. */
function network(settings: Settings, live: Live): Problem[] {
  const { cluster } = settings;
  if (cluster.provider !== "eks") return [...routing(settings, live), ...addresses(settings, live)];
  const is = eksNetworkOf(live.config?.data ?? {});
  if (is === cluster.network)
    return [...routing(settings, live), ...(is === "overlay" ? addresses(settings, live) : [])];
  return [
    {
      key: `${NAMESPACE}:cluster.network`,
      value: cluster.network,
      message: `The live cluster runs with ${is}. Pods keep their addresses when that changes, and nobody knows them any more; Cilium supports it in no running cluster.`,
      allowed: `${is} in this cluster; ${cluster.network} in a new one`,
      fix: `${setCommand(`${NAMESPACE}:cluster.network`, is)}   (or another stack with a new cluster, and move the workloads)`,
    },
  ];
}

/** The network mode that a cilium-config makes. */
function eksNetworkOf(data: Readonly<Record<string, string>>): EksNetwork {
  if (data["cni-chaining-mode"] === "aws-cni") return "chaining";
  return data.ipam === "eni" ? "eni" : "overlay";
}

function routing({ cilium }: Settings, live: Live): Problem[] {
  const data = live.config?.data ?? {};
  const mode = data["routing-mode"] ?? cilium.routing;
  const tunnel = data["tunnel-protocol"] ?? cilium.tunnel;
  const changed: [string, string, string][] =
    mode !== cilium.routing
      ? [["cilium.routing", cilium.routing, mode]]
      : cilium.routing === "tunnel" && tunnel !== cilium.tunnel
        ? [["cilium.tunnel", cilium.tunnel, tunnel]]
        : [];
  return changed.map(([path, wanted, is]) => ({
    key: `${NAMESPACE}:${path}`,
    value: wanted,
    message: `The live cluster runs with ${is}. While nodes change, those of one kind wrap pods' packets and the others do not take them, in any encryption; no order of steps makes that safe, and Cilium documents none.`,
    allowed: `${is} in this cluster; ${wanted} in a new one`,
    fix: `${setCommand(`${NAMESPACE}:${path}`, is)}   (or another stack with a new cluster, and move the workloads)`,
  }));
}

function addresses({ cilium, cluster }: Settings, live: Live): Problem[] {
  const data = live.config?.data ?? {};
  const ipam = data.ipam ?? cilium.ipam;
  if (ipam !== cilium.ipam) {
    return [
      {
        key: `${NAMESPACE}:cilium.ipam`,
        value: cilium.ipam,
        message: `The live cluster hands out addresses by ${ipam}. Pods keep theirs when that changes, and nobody knows them any more; Cilium supports it in no running cluster.`,
        allowed: `${ipam} in this cluster`,
        ...(["kubernetes", "cluster-pool"].includes(ipam) && { fix: setCommand(`${NAMESPACE}:cilium.ipam`, ipam) }),
      },
    ];
  }
  const pool = data["cluster-pool-ipv4-cidr"];
  if (cilium.ipam !== "cluster-pool" || pool === undefined || cluster.podCidr === undefined || pool === cluster.podCidr)
    return [];
  return [
    {
      key: `${NAMESPACE}:cluster.podCidr`,
      value: cluster.podCidr,
      message: `The live cluster's pods have addresses of ${pool}. Nodes keep their part of it, so another range would reach new nodes only.`,
      allowed: `${pool} in this cluster`,
      fix: setCommand(`${NAMESPACE}:cluster.podCidr`, pool),
    },
  ];
}

/** A guard that the settings want no more goes last of all, so until then nothing of a new mode would pass it. */
function guardTurnedOff(settings: Settings, { guard }: Live): Problem[] {
  // In a cloud everything passes as soon as Cilium has changed, and is proven so (cluster/eks/nodeGuard.ts).
  if (settings.guard || !guard || guard.rules) return [];
  const wanted = formsOf(settings);
  if (wanted.length > 0 && wanted.every((form) => guard.forms.includes(form))) return [];
  return [
    {
      key: `${NAMESPACE}:guard`,
      value: false,
      message: `The guard in force lets ${guard.forms.join(" and ")} pass, and the settings turn it off and change what nodes send at once. It goes at the end of an update, so that nothing is readable on the way; until then the new mode could not pass it, nor be proven.`,
      allowed: "one after the other: the change with the guard, then the guard turned off",
      fix: `${setCommand(`${NAMESPACE}:guard`, "true")} && pulumi up && ${setCommand(`${NAMESPACE}:guard`, "false")} && pulumi up`,
    },
  ];
}

/** The policies go last of all, and with the setting goes what loosens them before: until then they refuse a new mode. */
function admissionTurnedOff(settings: Settings, { admission }: Live): Problem[] {
  const wanted = allowedBy(settings);
  if (settings.admission || !admission || alternatives(admission.allowed).includes(wanted)) return [];
  return [
    {
      key: `${NAMESPACE}:admission`,
      value: false,
      message: `The admission policies in force allow ${alternatives(admission.allowed).join(", or ")}, and the settings turn them off and ask for ${wanted} at once. They go at the end of an update, so until then the API server would refuse that.`,
      allowed: "one after the other: the change with them, then they",
      fix: `${setCommand(`${NAMESPACE}:admission`, "true")} && pulumi up && ${setCommand(`${NAMESPACE}:admission`, "false")} && pulumi up`,
    },
  ];
}

/** The versions that agents run. */
function running({ agents }: Live): SemVer[] {
  return [...new Set(agents.flatMap(({ version }) => version ?? []))].flatMap((version) => coerce(version) ?? []);
}

/** How many minor versions `to` is ahead of `from`. A new major one is far ahead. */
function minorSteps(from: SemVer, to: SemVer): number {
  return to.major === from.major ? to.minor - from.minor : Number.POSITIVE_INFINITY * Math.sign(to.major - from.major);
}

function upgrade({ cilium }: Settings, live: Live): Problem[] {
  const wanted = coerce(cilium.version);
  const far = running(live).find((version) => wanted && Math.abs(minorSteps(version, wanted)) > 1);
  if (!far || !wanted) return [];
  const up = wanted.compare(far) > 0;
  const next = `${far.major}.${far.minor + (up ? 1 : -1)}`;
  return [
    {
      key: `${NAMESPACE}:cilium.version`,
      value: cilium.version,
      message: `Nodes run Cilium ${far.version}. Cilium supports a step ${up ? "up" : "back"} to the ${up ? "next" : "previous"} minor version only: in between, agents of the two must understand each other.`,
      allowed: `a version ${next}.x${up ? ", and then on from there" : ""}`,
      fix: setCommand(`${NAMESPACE}:cilium.version`, `${next}.x`),
    },
  ];
}

function downgrade({ cilium }: Settings, live: Live): Problem[] {
  const wanted = coerce(cilium.version);
  const ahead = running(live).find((version) => wanted && minorSteps(version, wanted) === -1);
  if (!ahead) return [];
  return [
    {
      key: `${NAMESPACE}:cilium.version`,
      value: cilium.version,
      message: `This goes back from Cilium ${ahead.version}. Cilium tests that for an upgrade that has just been made, and for settings that both versions know.`,
    },
  ];
}

/** Minor versions of which nodes in two modes are not modelled in a rehearsal. */
const UNMODELLED = /^1\.1[67]\./;

function unmodelled({ encryption, cilium, cluster }: Settings, live: Live): Problem[] {
  if (!UNMODELLED.test(cilium.version) || cluster.provider !== "rehearsal") return [];
  if (liveModes(live).every((mode) => mode === encryption)) return [];
  return [
    {
      key: `${NAMESPACE}:cilium.version`,
      value: cilium.version,
      message:
        "What nodes of Cilium 1.16 and 1.17 send each other while some have changed and others have not is not modelled in a rehearsal: values and read-back are as theirs, what leaks on the way is not.",
    },
  ];
}

function keyAge({ encryption, ipsec, rotation }: Settings, live: Live, now: Date): Problem[] {
  const days = keyAgeDays(live, now);
  const { maxAgeDays } = rotation;
  if (encryption !== "ipsec" || maxAgeDays === undefined || days === null || days <= maxAgeDays) return [];
  // The update that says it may be the one that mends it.
  if (live.secret !== null && live.secret.keyId !== ipsec.keyId) return [];
  return [
    {
      key: `${NAMESPACE}:rotation.maxAgeDays`,
      value: maxAgeDays,
      message: `IPsec key ${ipsec.keyId} is ${days} days old: its rotation is overdue.`,
      fix: "./bin/wirecloak rotate",
    },
  ];
}
