import type { Verdict } from "../../../prover/judge.ts";
import type { Counters } from "../../../prover/observation.ts";
import { type Case, nodeName } from "./healthy.ts";
import { agent, ciliumNode } from "./trouble.ts";
import { counted, passedBy, plainPackets, type WireCase } from "./wire.ts";

/** A cluster with its packets and counters seen, in which something is wrong, and what the prover must make of it. */
export interface WireFault {
  name: string;
  in: readonly Case[];
  /** How many nodes it takes; 2 unless said. */
  least?: number;
  spoil(wireCase: WireCase): void;
  verdict: Verdict;
  /** Checks that must speak; others may too. */
  by: readonly string[];
}

export const WIREGUARD: readonly Case[] = ["wireguard", "wireguard with node encryption"];
export const IPSEC: readonly Case[] = ["ipsec"];
export const ENCRYPTED: readonly Case[] = [...WIREGUARD, ...IPSEC];

/** Readable packets from node 1 to node 0, at every place that they pass. */
export function inClear({ wire, intent }: WireCase): void {
  for (const place of passedBy(wire, 1))
    place.plaintext.push({ ...plainPackets({ from: 1, to: 0 }), form: intent.overlay ?? "bare" });
}

/** No encrypted packets from node 1 to node 0. */
export function noneEncrypted({ wire }: WireCase): void {
  for (const place of passedBy(wire, 1))
    place.ciphertext = place.ciphertext.filter(({ from, to }) => from !== nodeName(1) || to !== nodeName(0));
}

/** Nothing comes back between node 1 and node 0. */
export function noneReturned({ wire }: WireCase): void {
  const [one, zero] = [nodeName(1), nodeName(0)];
  for (const flow of wire.flows)
    if ((flow.from === one && flow.to === zero) || (flow.from === zero && flow.to === one)) flow.returned = 0;
}

/** Node 1's counters stay as they are. */
export function frozen({ seen }: WireCase): void {
  const { counters } = agent(seen, 1);
  if (counters) counters.after = structuredClone(counters.before);
}

/** Node 1's counters of its peer, node 0. */
export function peer({ seen }: WireCase, when: "before" | "after" = "after") {
  const key = ciliumNode(seen, 0).wireguardKey;
  const found = counted(seen, 1, when).peers?.find((each) => each.publicKey === key);
  if (!found) throw new Error("no such peer");
  return found;
}

export function ipsec(wireCase: WireCase, index = 1): NonNullable<Counters["ipsec"]> {
  const found = counted(wireCase.seen, index).ipsec;
  if (!found) throw new Error("no IPsec counters");
  return found;
}

export function errors(wireCase: WireCase, index: number, name: string, count: number): void {
  const counters = ipsec(wireCase, index);
  counters.errors[name] = count;
  counters.errorCount += count;
}

/** What node 1 sends to node 0, as IPsec: the streams at every place. */
export function streams({ wire }: WireCase) {
  return passedBy(wire, 1).flatMap((place) =>
    place.ciphertext.filter(({ from, to }) => from === nodeName(1) && to === nodeName(0)),
  );
}
