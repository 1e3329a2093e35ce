import { type Check, contradicts, type Found, note, unobserved } from "../finding.ts";
import type { Observation, RulesSeen } from "../observation.ts";
import { suchAs } from "./pairs.ts";

const EVIDENCE = "the guard's rules between the nodes";
const AGAIN = "put it back: ./bin/wirecloak up";

/** One of the guard's counters, with what it had counted before and after the marker traffic. */
export interface GuardDrop {
  name: string;
  what: string;
  /** What it counts should have been encrypted. */
  plaintext: boolean;
  before: number;
  after: number;
}

/** What the guard has dropped, counter by counter. */
export function guardDrops({ guard }: Observation): GuardDrop[] {
  if (!guard || !("said" in guard.after) || !guard.after.said) return [];
  const { said: earlier } = "said" in guard.before ? guard.before : guard.after;
  return Object.entries(guard.after.said.dropped).map(([name, { what, plaintext, packets: after }]) => {
    // A guard that was set anew in between begins again.
    return { name, what, plaintext, before: Math.min(earlier?.dropped[name]?.packets ?? 0, after), after };
  });
}

/** Packets that should have been encrypted and that the guard dropped during the marker traffic. */
export function attempted(seen: Observation): GuardDrop[] {
  return guardDrops(seen).filter(({ plaintext, before, after }) => plaintext && after > before);
}

const guardInForce: Check = {
  name: "guard-in-force",
  look: ({ guard: intended }, seen) => {
    const { guard, wire } = seen;
    if (!intended || !guard) return [];
    const about = { node: null, evidence: EVIDENCE, fix: AGAIN };
    if ("silent" in guard.after)
      return [
        unobserved({ ...about, message: `the guard could not be asked: ${guard.after.silent}`, fix: "make doctor" }),
      ];
    const { said: inForce } = guard.after;
    if (!inForce)
      return [contradicts({ ...about, message: "the guard is off: nothing drops readable packets between the nodes" })];
    const missing = intended.forms.filter((form) => !inForce.forms.includes(form));
    const more = inForce.forms.filter((form) => !intended.forms.includes(form));
    const found: Found[] = inForce.rules ? ruleFindings(inForce.rules, seen) : [];
    if (!inForce.intact && !inForce.rules)
      found.push(
        contradicts({ ...about, message: "the guard was changed by hand: its rules are not as they were set" }),
      );
    // Where rules are missing they are named.
    if (missing.length > 0 && !inForce.rules?.faults.length)
      found.push(
        contradicts({
          ...about,
          message: `the guard is another mode's: it lets pass ${listed(inForce.forms)}, and drops ${listed(missing)}`,
        }),
      );
    // As it must be from before a change until after its proof, which has looked at the wire.
    if (more.length > 0 && !wire)
      found.push(
        note({
          node: null,
          evidence: EVIDENCE,
          message: `the guard lets pass ${listed(more)} too, as until the end of a change`,
        }),
      );
    return found;
  },
};

/** Of a guard that a cloud carries: what it does not hold, and whom nobody asked about. */
function ruleFindings({ by, at, open, faults, addresses }: RulesSeen, { nodes, settled }: Observation): Found[] {
  const told = (what: string) => `${what}, as ${by} told at ${at}`;
  const asked = new Set(addresses);
  const unasked = nodes.filter((node) => !node.addresses.some((address) => asked.has(address)));
  return [
    ...faults.map(({ node: machine, address, what, evidence, fix }) => {
      // Not every machine is a node yet.
      const node = nodes.find((each) => address !== null && each.addresses.includes(address))?.name ?? null;
      const subject = machine === null ? "the guard is not in force: " : node === null ? `${machine} ` : "";
      return contradicts({ node, message: `${subject}${what}`, evidence: told(evidence), fix });
    }),
    ...(open.length > 0 ? [everythingPasses(told(`rules ${open.join(", ")}`), settled === undefined)] : []),
    ...unasked.map(({ name: node }) =>
      unobserved({
        ...{
          node,
          message: "nobody knows whether the guard holds it: its network interfaces were not among those told",
        },
        ...{ evidence: told("the cluster's machines"), fix: "once more in a minute: it may have just come or gone" },
        passing: true,
      }),
    ),
  ];
}

/** An update from plaintext to encryption takes away last of all, when its proof is over, what lets everything pass. */
function everythingPasses(evidence: string, updating: boolean): Found {
  const found = { node: null, evidence, message: "the guard is not in force: everything may pass between nodes" };
  if (updating) {
    const message = `${found.message} until the update has ended`;
    return unobserved({ ...found, message, fix: "then: ./bin/wirecloak verify", passing: true });
  }
  const fix = "make up; what stays then is not ours: aws ec2 revoke-security-group-ingress, and -egress";
  return contradicts({ ...found, fix });
}

/** What a node tried to send in clear, although the guard kept it from the other one. */
const guardDropped: Check = {
  name: "guard-dropped",
  look: ({ encryption }, seen) => {
    if (encryption === "none" || !seen.wire) return [];
    const { vantages } = seen.wire;
    return attempted(seen).map(({ name, what, before, after }) => {
      const seenBy = vantages
        .filter(({ where, plaintext }) => where === "node" && plaintext.length > 0)
        .map(({ node }) => node ?? "");
      const senders =
        seenBy.length > 0 ? `; readable packets were captured at ${suchAs(seenBy)}` : "; no capture at a node saw them";
      return contradicts({
        node: null,
        message: `the guard dropped ${after - before} packets that should have been encrypted: ${what}${senders}`,
        evidence: `the guard's counter ${name}, ${before} before the test traffic and ${after} after it`,
        fix: "restart the agents of the nodes that send them; then prove again",
      });
    });
  },
};

function listed(forms: readonly string[]): string {
  return forms.length > 0 ? forms.join(" and ") : "no ciphertext";
}

export const guardChecks: readonly Check[] = [guardInForce, guardDropped];
