import type { AgentSeen } from "./observation.ts";

/** What a node's encryption has done so far, as its agent counts; what its mode does not have is null. */
export interface Activity {
  /** WireGuard: peers with which a handshake was ever made, and seconds since the oldest of their newest. */
  handshakes: number | null;
  handshakeAge: number | null;
  /** WireGuard: bytes from all peers and to them. */
  received: number | null;
  sent: number | null;
  /** IPsec: the highest sequence number sent; null where no packet ever was. */
  maxSequence: number | null;
  /** IPsec: XFRM errors since boot. */
  xfrmErrors: number | null;
}

/** Reads an agent's newest counters; null where they were not asked for, or it did not answer. */
export function activityOf({ counters }: Pick<AgentSeen, "counters">, now: number): Activity | null {
  if (!counters || !("said" in counters.after)) return null;
  const { peers, ipsec } = counters.after.said;
  const met = peers?.flatMap(({ lastHandshake }) => (lastHandshake === null ? [] : [Date.parse(lastHandshake)])) ?? [];
  const total = (of: "rx" | "tx"): number | null => peers?.reduce((sum, peer) => sum + peer[of], 0) ?? null;
  return {
    handshakes: peers && met.length,
    // A node's clock may be a little ahead of ours.
    handshakeAge: met.length > 0 ? Math.max(0, Math.round((now - Math.min(...met)) / 1000)) : null,
    received: total("rx"),
    sent: total("tx"),
    maxSequence: ipsec?.maxSequence ?? null,
    xfrmErrors: ipsec?.errorCount ?? null,
  };
}

/** The same for a terminal, in a few words each. */
export function activityFacts(activity: Activity): string[] {
  const { handshakes, handshakeAge, received, sent, maxSequence, xfrmErrors } = activity;
  return [
    handshakes !== null &&
      `${handshakes} handshakes${handshakeAge === null ? "" : `, the oldest ${handshakeAge} s ago`}`,
    received !== null && sent !== null && `${bytes(received)} in, ${bytes(sent)} out`,
    xfrmErrors !== null && `sequence ${maxSequence ?? "N/A"}, ${xfrmErrors} XFRM errors`,
  ].filter((fact) => fact !== false);
}

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, count > 0 ? Math.floor(Math.log2(count) / 10) : 0);
  return `${(count / 2 ** (10 * power)).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
