import type { KeyState } from "./keys.ts";
import type { Report } from "./report.ts";

/** How many reasons a summary repeats; the evidence has all. */
const REASONS = 20;

/** What a program that only acts on the verdict needs: small however large the cluster is. */
export interface Summary {
  verdict: Report["verdict"];
  statement: string;
  reasons: string[];
  /** Path of evidence.json; null where none was asked for. */
  evidence: string | null;
  counts: {
    nodes: number;
    /** Ordered node pairs between which packets were looked at. */
    pairs: number;
    /** Packets between nodes that could be read, and that were encrypted. */
    readable: number;
    encrypted: number;
  };
  /** IPsec: nodes that have the key before the one in use too, as while a rotation is in flight, and those that do not. */
  keys: { oldAndNew: number; newOnly: number } | null;
  /** It is not proven, and all that stands against it may pass by itself: the next proof may say otherwise. */
  mayPass: boolean;
  /** Findings by their effect. */
  findings: { contradicts: number; unobserved: number };
}

export function summaryOf(report: Report, evidence: string | null): Summary {
  const { verdict, statement, reasons, nodes, findings, wire } = report;
  const count = (effect: string): number => findings.filter((finding) => finding.effect === effect).length;
  const against = findings.filter(({ effect }) => effect !== "note");
  const more = reasons.length - REASONS;
  return {
    verdict,
    statement,
    reasons: [...reasons.slice(0, REASONS), ...(more > 0 ? [`and ${more} more, in the evidence`] : [])],
    evidence,
    counts: {
      nodes: nodes.length,
      pairs: wire?.pairs.tested ?? 0,
      readable: wire?.packets.plaintext ?? 0,
      encrypted: wire?.packets.ciphertext ?? 0,
    },
    keys:
      report.encryption === "ipsec"
        ? { oldAndNew: keysOf(nodes, "old and new"), newOnly: keysOf(nodes, "new only") }
        : null,
    mayPass: against.length > 0 && against.every(({ passing }) => passing),
    findings: { contradicts: count("contradicts"), unobserved: count("unobserved") },
  };
}

function keysOf(nodes: Report["nodes"], state: KeyState): number {
  return nodes.filter(({ keys }) => keys === state).length;
}
