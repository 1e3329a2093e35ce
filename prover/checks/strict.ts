import { type Check, contradicts, type Found, unobserved } from "../finding.ts";
import type { Intent } from "../intent.ts";
import type { Observation } from "../observation.ts";
import type { StrictNodeSeen, StrictSeen } from "../wire/observation.ts";

/** Strict mode is what Cilium drops, so it is tested: a packet that would leave in clear must not, and must be counted. */
export const strictEgress: Check = {
  name: "strict-egress",
  look: (intent, seen) => {
    if (!intent.strict || intent.encryption === "none" || !seen.wire) return [];
    const untested = { node: null, evidence: "test of strict mode" };
    const { strict } = seen.wire;
    if (!strict) return [unobserved({ ...untested, message: "strict mode was not tested", fix: "prove again" })];
    const { range, address } = strict;
    if (range === null || address === null) {
      const message =
        range === null
          ? "strict mode could not be tested: its range is not known"
          : `strict mode could not be tested: nodes hold every address of ${range}`;
      return [
        unobserved({
          ...untested,
          message,
          fix: range === null ? "give the intent its range" : "give pods a wider range",
        }),
      ];
    }
    const stray = inClear(seen, address, null);
    return [
      ...(stray > 0 ? [doesNotHold(null, stray, address)] : []),
      ...strict.nodes.flatMap((node) => nodeFindings(intent, seen, node, address)),
    ];
  },
};

function nodeFindings(intent: Intent, seen: Observation, tested: StrictNodeSeen, address: string): Found[] {
  const { node, silent, drops } = tested;
  const leaked = inClear(seen, address, node);
  if (leaked > 0) return [doesNotHold(node, leaked, address)];
  const evidence = "cilium-dbg bpf metrics list";
  const agents = `kubectl -n ${intent.cilium.namespace} get pods -l k8s-app=cilium -o wide`;
  const missing = (message: string, fix: string): Found[] => [
    unobserved({ node, message, evidence, fix, passing: true }),
  ];
  if (silent !== null) return missing(`strict mode was not tested: its talker ${silent}`, "prove again");
  for (const answer of [drops.before, drops.after])
    if ("silent" in answer) return missing(`strict mode was not shown: its agent ${answer.silent}`, agents);
  if (isDropped(tested)) return [];
  const message = `strict mode was not shown: packets to ${address}, which no node holds, were not counted as dropped`;
  return missing(message, `see whether its agent runs with strict mode: ${agents}`);
}

function doesNotHold(node: string | null, packets: number, address: string): Found {
  return contradicts({
    node,
    message: `strict mode does not hold: ${packets} readable packets to ${address}, which no node holds, left in clear`,
    evidence: "captures",
    fix: "see what masquerades or forwards before Cilium looks, and whether the agent has restarted since strict mode is on; then prove again",
  });
}

/** How many readable packets of the test there were at the place that saw most of them. */
function inClear(seen: Observation, address: string, node: string | null): number {
  const at = (seen.wire?.vantages ?? []).map(({ plaintext }) =>
    plaintext
      .filter(({ marker, dst, from }) => marker && dst === address && from === node)
      .reduce((sum, { packets }) => sum + packets, 0),
  );
  return Math.max(0, ...at);
}

/** The agent's drop counter grew by what was sent. */
function isDropped({ sent, silent, drops: { before, after } }: StrictNodeSeen): boolean {
  return sent > 0 && silent === null && "said" in before && "said" in after && after.said > before.said;
}

/** The test in a sentence; null where there was none. */
export function strictInWords(strict: StrictSeen | null | undefined): string | null {
  if (!strict || strict.address === null) return null;
  const dropped = strict.nodes.filter(isDropped).length;
  return `${dropped} of ${strict.nodes.length} nodes dropped and counted what was sent to ${strict.address}, which no node holds`;
}
