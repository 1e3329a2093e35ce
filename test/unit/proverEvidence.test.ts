import fc from "fast-check";
import { allChecks } from "../../prover/checks/checks.ts";
import { wireChecks } from "../../prover/checks/wire.ts";
import { judge } from "../../prover/judge.ts";
import type { Observation } from "../../prover/observation.ts";
import { CASES, type Case, healthy, intentFor } from "./proverTroubles/healthy.ts";
import { healthyOnWire } from "./proverTroubles/wire.ts";

/** All that the cluster tells of itself; with the checks of the wire nothing could be proven without packets. */
const told = allChecks.filter((check) => !wireChecks.includes(check));

type Path = readonly string[];

/** What the verdict does not rest on, in any mode. */
const INFORMATION = [
  / takenAt$/,
  // A simulated node is judged like any other; the statement says what it is.
  / nodes\.\d+\.simulated$/,
  // They say where to look at the wire; what was seen there is judged by itself.
  / nodes\.\d+\.(ready|addresses|podCidrs)/,
  // Names of pods are for people.
  / agents\.\d+\.pod$/,
  // Why an agent is not running matters only when it is not.
  / agents\.\d+\.waiting$/,
  // An agent may be started with any option that is not about encryption, and with none.
  / daemonSet\.options/,
  // Counters since boot tell nothing of now.
  /ipsec\.errors/,
  // Of packets and counters: what is for people, and what only tells when something else is wrong.
  / wire\.(endedAt|image|pairs)/,
  / wire\.probes\.\d+\.(nodeIps|podIp|device)/,
  / wire\.vantages\.\d+\.(name|device)$/,
  /controls\.\d+\.sent$/,
  /flows\.\d+\.sent$/,
  /ciphertext\.\d+\.(src|dst|firstSequence|lastSequence)$/,
  // Out of order is not repeated.
  /^other .*increasing$/,
  /counters\..*(endpoint|keysInUse)$/,
  // What was not counted before the markers has all been counted since.
  /counters\.before\.said\.peers\./,
  /counters\.before\.said\.ipsec\./,
];

/** And in one mode: what only another mode looks at, and what may be one way or the other. */
const NOT_IN: Record<Case, RegExp[]> = {
  // A control plane is a node like any other, and node encryption that is not told of is not on.
  wireguard: [/bootId$/, /^without .*nodeEncryption$/, /controlPlane$/],
  // Only a control plane may opt out, and worker nodes do not.
  "wireguard with node encryption": [/bootId$/, /nodes\.[1-9]\d*\.controlPlane$/],
  // Which boot id is a node's own, nobody else can tell.
  ipsec: [/^other .*bootId$/, /wireguard/, /nodeEncryption$/, /controlPlane$/, /wire\.startedAt$/],
  none: [/bootId$/, /wireguard/, /ipsec/, /nodeEncryption$/, /controlPlane$/],
};

/** A worsening of an observation: a loss or a change, of the piece of evidence at a path. */
interface Worsening {
  path: string;
  of(seen: Observation): Observation;
}

type Branch = Record<string, unknown>;

/** What may be absent in an observation, by the name of its field. Lists of peers are absent with most Cilium versions. */
const MAY_BE_NULL =
  /^(config|daemonSet|changedAt|revision|startedAt|wireguardKey|bootId|version|nodeEncryption|wireguard|ipsec|wire|counters|lastHandshake|maxSequence|spi|increasing)$/;

/** Every way to lose or change one piece of evidence that keeps the document well formed. */
function worsenings(document: unknown, path: Path = []): Worsening[] {
  if (document === null || typeof document !== "object") return [];
  return Object.entries(document).flatMap(([key, value]) => {
    const here = [...path, key];
    return [...lossesOf(document, key, here), ...changesOf(value, key, here), ...worsenings(value, here)];
  });
}

function lossesOf(parent: object, key: string, path: Path): Worsening[] {
  const optional = path[0] === "config" && path[1] === "data" && path.length === 3;
  const present = (parent as Branch)[key] !== null;
  if (Array.isArray(parent))
    return [worsening("without ", path, (list) => (list as unknown as unknown[]).splice(Number(key), 1))];
  if (key === "status" || key === "encryption")
    return [worsening("without ", path, (agent) => (agent[key] = { silent: "did not answer" }))];
  if (optional) return [worsening("without ", path, (data) => delete data[key])];
  if (present && MAY_BE_NULL.test(key)) return [worsening("without ", path, (branch) => (branch[key] = null))];
  return [];
}

function changesOf(value: unknown, key: string, path: Path): Worsening[] {
  if (typeof value === "object") return [];
  return [
    worsening("other ", path, (branch) => {
      branch[key] =
        typeof value === "boolean" ? !value : typeof value === "number" ? (value === 0 ? 1 : 0) : `x${value}`;
    }),
  ];
}

function worsening(kind: string, path: Path, change: (parent: Branch) => unknown): Worsening {
  return {
    path: kind + path.join("."),
    of: (seen) => {
      const copy = structuredClone(seen);
      const parent = path.slice(0, -1).reduce<unknown>((at, key) => (at as Branch | undefined)?.[key], copy);
      // The place may be gone with an earlier loss.
      if (parent) change(parent as Branch);
      return copy;
    },
  };
}

function isEvidence(name: Case, { path }: Worsening): boolean {
  return ![...INFORMATION, ...NOT_IN[name]].some((pattern) => pattern.test(path));
}

/** What is judged of a case: the cluster's own word alone, and with packets and counters. */
const judged = CASES.filter((name) => name !== "none").flatMap((name) => [
  { name, of: "by its own word", intent: intentFor(name), seen: healthy(name), checks: told },
  { name, of: "by its packets too", ...healthyOnWire(name, "tunnel", 3), checks: allChecks },
]);

describe.each(judged)("of a healthy cluster, $name, $of,", ({ name, intent, seen, checks }) => {
  const evidence = worsenings(seen).filter((each) => isEvidence(name, each));
  const verdict = (observation: Observation): string => judge(intent, observation, checks).verdict;

  test("it is proven", () => {
    expect(verdict(seen)).toBe("proven");
  });

  test("each piece of evidence counts: without it, or with another one, nothing is proven", () => {
    const ignored = evidence.filter((each) => verdict(each.of(seen)) === "proven");
    expect(ignored.map((each) => each.path)).toEqual([]);
  });

  test("no set of losses and changes makes the verdict better", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...evidence), { minLength: 1, maxLength: 6 }), (several) => {
        const worse = several.reduce((observation, each) => each.of(observation), seen);
        return verdict(worse) !== "proven";
      }),
    );
  });
});

test("without encryption nothing is ever proven, whatever the cluster says", () => {
  const seen = healthy("none");
  for (const each of worsenings(seen)) {
    expect(judge(intentFor("none"), each.of(seen), told).verdict).not.toBe("proven");
  }
});
