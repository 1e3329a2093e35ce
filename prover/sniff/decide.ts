import type { Sniffed } from "./sniffed.ts";

export type SniffVerdict = "readable on the wire" | "not readable on the wire" | "nothing proven";

export interface Decision {
  verdict: SniffVerdict;
  /** Why, in a sentence. */
  statement: string;
  /** What to do next; null where there is nothing to do. */
  advice: string | null;
}

/** 0 not readable, 1 readable, 3 nothing proven. */
export function exitCodeOf(verdict: SniffVerdict): 0 | 1 | 3 {
  return { "not readable on the wire": 0, "readable on the wire": 1, "nothing proven": 3 }[verdict] as 0 | 1 | 3;
}

/** Says what was seen. `not readable` only where the text was seen before encryption, and the wire by a capture that sees. */
export function decide(seen: Sniffed): Decision {
  const { before, wire, from, to, command } = seen;
  const readable = wire.reduce((sum, place) => sum + place.packets, 0);
  if (readable > 0) {
    return {
      verdict: "readable on the wire",
      statement: `${count(readable)} left ${readable === 1 ? "its" : "their"} node with the text in clear`,
      advice: null,
    };
  }
  const nothing = (statement: string, advice: string | null = null): Decision => ({
    verdict: "nothing proven",
    statement,
    advice,
  });
  if (to && from.node === to.node)
    return nothing(
      `both run on ${from.node}: nothing of theirs crosses the wire`,
      `move one of them: ${moveCommand(from)}`,
    );
  const [blind] = wire.filter(({ silent }) => silent !== null);
  if (blind) return nothing(`nothing could be captured on ${blind.node}: ${blind.silent}`);
  if (before.silent !== null) return nothing(`nothing could be captured at the sender: ${before.silent}`);
  const [gap] = wire.filter(({ complete, dropped }) => !complete || dropped > 0);
  if (gap) return nothing(`the capture on ${gap.node} missed packets`, "look for less traffic, or a shorter time");
  const [unseeing] = wire.filter(({ controls }) => controls.seen < controls.sent || controls.sent === 0);
  if (unseeing)
    return nothing(`the capture on ${unseeing.node} did not see the clear packets that were sent to test it`);
  if (before.packets === 0) {
    return nothing(
      "the text was not seen at all, not even before encryption",
      command
        ? "does the command really send it, and not by TLS?"
        : 'let the sender send it meanwhile, or add --run "COMMAND"',
    );
  }
  const encrypted = wire.reduce((sum, place) => sum + place.encrypted.packets, 0);
  if (encrypted === 0)
    return nothing("the text was seen inside the node, but nothing between the nodes, readable or encrypted");
  return {
    verdict: "not readable on the wire",
    statement: `${count(before.packets)} with the text inside the node, none on the wire, where ${count(encrypted)} went encrypted`,
    advice: null,
  };
}

/** How the lab moves a pod: its controller makes it anew on another node. */
function moveCommand({ namespace, pod, node }: Sniffed["from"]): string {
  return `kubectl cordon ${node} && kubectl -n ${namespace} delete pod ${pod}; kubectl uncordon ${node} when it runs elsewhere`;
}

/** `1 packet`, `2 packets`. */
export function count(packets: number): string {
  return packets === 1 ? "1 packet" : `${packets} packets`;
}
