import { POLICIES } from "../../prover/live/admission.ts";
import { byWhom } from "../../prover/live/changedBy.ts";
import { digestOf } from "../../prover/live/digest.ts";
import type { RulesSeen } from "../../prover/observation.ts";
import { alternatives, PARAMETER } from "../encryption/admission/params.ts";
import type { Live, Repairs, SettledRecord, Unreachable } from "./live.ts";
import { isLive } from "./live.ts";
import { digestsOf, isOfEncryption } from "./record.ts";

/** One thing that is not as the last update left it. */
interface Drift {
  /** What has to run for it. The proof does for each. */
  repair: keyof Repairs;
  /** What is off, for people, as a sentence without a full stop. */
  what: string;
}

/** Nodes that are named one by one. */
const NAMED = 5;

const DELETED_SECRET = "Secret cilium-ipsec-keys was deleted";

/** No repair was ever needed. */
const NONE: Repairs = { cilium: "", guard: "", admission: "", proof: "" };

/** The tokens of the next update: the recorded ones as long as the cluster is as the record has it, else new ones where something is off. */
export function repairs(live: Live | Unreachable | undefined, record = isLive(live) ? live.record : null): Repairs {
  if (live === undefined) return NONE;
  if (!isLive(live)) {
    const token = digestOf(live);
    return { cilium: token, guard: token, admission: token, proof: token };
  }
  const drifts = driftOf(live, record);
  const before = record?.repairs ?? NONE;
  // Without a record nothing tells this repair from the one before but the time.
  const token = digestOf([digestsOf(live), before, record?.run ?? live.takenAt]);
  const needs = (part: keyof Repairs): boolean => drifts.some(({ repair }) => repair === part);
  return {
    cilium: needs("cilium") ? token : before.cilium,
    guard: needs("guard") ? token : before.guard,
    admission: needs("admission") ? token : before.admission,
    proof: drifts.length > 0 ? token : before.proof,
  };
}

/** What is not as the last update left it, each in a sentence that says who is off. */
export function drifted(live: Live | Unreachable | undefined, record = isLive(live) ? live.record : null): string[] {
  if (live === undefined) return [];
  if (!isLive(live)) return [`the cluster does not answer: ${live.unreachable}`];
  return driftOf(live, record).map(({ what }) => what);
}

/** Whether the update must make the Secret anew, since there is none to patch. */
export function isSecretMissing(live: Live | Unreachable | undefined): boolean {
  return isLive(live) && live.secret === null && live.secretUnread === null;
}

function driftOf(live: Live, record: SettledRecord | null): Drift[] {
  // Before the first update there is nothing to differ from.
  if (record === null) {
    const told = unrecorded.filter(({ repair }) => repair !== "admission" || live.admission);
    return live.config === null ? [] : [...told, ...missingSecret(live)];
  }
  return [
    ...configDrift(live, record),
    ...agentDrift(live, record),
    ...secretDrift(live, record),
    ...nodeDrift(live, record),
    ...guardDrift(live, record),
    ...admissionDrift(live, record),
    ...policyDrift(live, record),
    ...(record.proveAgain ? [unsettled] : []),
  ];
}

/** Cilium runs, but no update that ended well is on record: it was cut short, or somebody removed the record. */
const unrecorded: Drift[] = (
  [
    ["guard", "the guard is set"],
    ["admission", "what admission allows is set"],
    ["proof", "the wire is proven"],
  ] as const
).map(([repair, what]) => ({ repair, what: `no complete update is on record, so ${what} once more` }));

/** Such as markers that were lost while a node rebooted. */
const unsettled: Drift = {
  repair: "proof",
  what: "the last proof was not proven for reasons that may have passed, so the wire is proven once more",
};

/** Agents in IPsec mode cannot start without it. */
function missingSecret(live: Live): Drift[] {
  const isNeeded = live.config?.data["enable-ipsec"] === "true";
  return isNeeded && isSecretMissing(live) ? [{ repair: "cilium", what: DELETED_SECRET }] : [];
}

function configDrift({ config }: Live, { digests, options }: SettledRecord): Drift[] {
  if (digests.config === null || config?.digest === digests.config) return [];
  if (config === null) return [{ repair: "cilium", what: "ConfigMap cilium-config was deleted" }];
  const { data, changes } = config;
  const changed = Object.keys({ ...options, ...data })
    .filter((name) => (name in options || isOfEncryption(name)) && data[name] !== options[name])
    .map((name) => {
      // A key that is gone has no writer any more.
      const by = changes.find(({ keys }) => keys.includes(name)) ?? changes[0];
      return `cilium-config was changed by ${byWhom(by)}: ${name} ${shown(options[name])} -> ${shown(data[name])}`;
    });
  const other = `cilium-config was changed by ${byWhom(changes[0])}, in options that have nothing to do with encryption`;
  return (changed.length > 0 ? changed : [other]).map((what) => ({ repair: "cilium", what }));
}

function shown(value: string | undefined): string {
  return value === undefined ? "absent" : value === "" ? '""' : value;
}

function agentDrift(live: Live, { digests }: SettledRecord): Drift[] {
  const now = digestsOf(live);
  const agents: Drift[] =
    digests.agents === null || now.agents === digests.agents
      ? []
      : [
          {
            repair: "cilium",
            what: live.daemonSet
              ? "DaemonSet cilium was changed: its agents get other options"
              : "DaemonSet cilium was deleted",
          },
        ];
  if (now.nodeConfigs === digests.nodeConfigs) return agents;
  const overrides = live.nodeConfigs.map(({ name, by }) => `${name} by ${byWhom(by)}`);
  const what = `the CiliumNodeConfigs, which override cilium-config, were changed: ${overrides.join(", ") || "there is none any more"}`;
  return [...agents, { repair: "cilium", what }];
}

function secretDrift({ secret, secretUnread }: Live, { digests }: SettledRecord): Drift[] {
  if (typeof digests.secret !== "string" || secretUnread !== null || secret?.digest === digests.secret) return [];
  const what = secret
    ? `Secret cilium-ipsec-keys was changed by ${byWhom(secret.by)}: it holds another key`
    : DELETED_SECRET;
  return [{ repair: "cilium", what }];
}

function nodeDrift(live: Live, { digests: { nodes: before } }: SettledRecord): Drift[] {
  const now = digestsOf(live).nodes;
  const came = Object.keys(now).filter((name) => !(name in before));
  const gone = Object.keys(before).filter((name) => !(name in now));
  const both = Object.keys(now).filter((name) => name in before);
  const rebooted = both.filter((name) => now[name]?.boot !== before[name]?.boot);
  const edited = both.filter((name) => !rebooted.includes(name) && now[name]?.keys !== before[name]?.keys);
  const by = new Map(live.ciliumNodes.map((node) => [node.name, node.by]));
  const proof = (names: string[], did: string): Drift[] =>
    named(names).map((name) => ({
      repair: "proof",
      what: `${name.startsWith("and ") ? name : `node ${name}`} ${did}`,
    }));
  return [
    ...proof(came, "joined"),
    ...proof(gone, "left"),
    ...proof(rebooted, "rebooted"),
    ...named(edited).map((name): Drift => {
      const who = by.get(name);
      return {
        repair: "cilium",
        what: `the keys of CiliumNode ${name} were changed${who ? ` by ${byWhom(who)}` : ""}, without a reboot`,
      };
    }),
  ];
}

/** The first few names, and how many more. */
function named(names: string[]): string[] {
  return names.length <= NAMED ? names : [...names.slice(0, NAMED), `and ${names.length - NAMED} more`];
}

function admissionDrift(live: Live, { digests }: SettledRecord): Drift[] {
  const { admission } = live;
  const now = digestsOf(live).admission;
  if (digests.admission === undefined || now === undefined || now === digests.admission) return [];
  const what = admission
    ? `what admission allows was changed by ${byWhom(admission.by)}: now ${alternatives(admission.allowed).join(", or ") || "nothing"}`
    : `ConfigMap ${PARAMETER} was deleted, so the API server refuses every change of Cilium's encryption`;
  return [{ repair: "admission", what }];
}

function policyDrift(live: Live, { digests }: SettledRecord): Drift[] {
  const now = digestsOf(live).policies;
  const missing = missingPolicies(live);
  // Where there was a parameter there were policies, also for a record that does not tell of them.
  const wasOn = typeof digests.admission === "string";
  if (!wasOn || now === undefined || now === (digests.policies ?? (missing.length === 0 ? now : undefined))) return [];
  const latest = [...(live.policies ?? [])].sort((a, b) => ((a.by?.time ?? "") < (b.by?.time ?? "") ? 1 : -1))[0];
  const what =
    missing.length > 0
      ? `admission was taken away: ${missing.join(", ")} deleted, so the API server no longer refuses what they say`
      : `an admission policy was changed, last ${latest?.name} by ${byWhom(latest?.by)}`;
  return [{ repair: "admission", what }];
}

/** Those of our admission policies and bindings that are not there, as `KIND NAME`. Empty where that could not be asked. */
export function missingPolicies(live: Live | Unreachable | undefined): string[] {
  if (!isLive(live) || live.policies === null) return [];
  const there = new Set(live.policies.map(({ kind, name }) => `${kind} ${name}`));
  return Object.values(POLICIES)
    .flatMap((name) => [`ValidatingAdmissionPolicy ${name}`, `ValidatingAdmissionPolicyBinding ${name}`])
    .filter((each) => !there.has(each));
}

function guardDrift(live: Live, { digests }: SettledRecord): Drift[] {
  const { guard } = live;
  const now = digestsOf(live).guard;
  if (digests.guard === undefined || now === undefined || now === digests.guard) return [];
  if (guard?.rules) return ruleDrift(guard.rules);
  const what = guard
    ? `the guard is another than the last update left: it lets ${guard.forms.join(" and ") || "nothing"} pass`
    : "the guard is gone";
  return [{ repair: "guard", what }];
}

/** Of a guard that a cloud carries. */
function ruleDrift({ open, faults }: RulesSeen): Drift[] {
  const about = Map.groupBy(faults, ({ node, what }) => (node === null ? "" : what));
  const off = [...about].flatMap(([of, group]): string[] => {
    const named = group.slice(0, NAMED).map(({ node, what, fix }) => {
      const who = node === null ? "" : `node ${node} `;
      return `${who}${what}${fix === null ? "" : `; ${fix}`}`;
    });
    const more = group.length - NAMED;
    return more > 0 ? [...named, `and ${more} more ${of === "" ? "rules" : `nodes: ${of}`}`] : named;
  });
  const all = open.length > 0 ? ["the guard's rules let everything pass between nodes", ...off] : off;
  const told = all.length > 0 ? all : ["what was off about the guard's rules is in order by now"];
  return told.map((what) => ({ repair: "guard", what }));
}
