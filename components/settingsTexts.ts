import { z } from "zod";
import { networkOf, overlap, parseCidr } from "./cidr.ts";
import { isDuration } from "./duration.ts";

/** A check with a message of its own. Later checks do not run on a value that an earlier one refused. */
export function rule(message: string | ((value: string) => string), holds: (value: string) => boolean) {
  return {
    error: (issue: { input?: unknown }) => (typeof message === "string" ? message : message(String(issue.input))),
    holds,
    abort: true,
  };
}

/** A text that keeps all of these rules. */
export function text(...rules: ReturnType<typeof rule>[]) {
  return rules.reduce((schema, { holds, error, abort }) => schema.refine(holds, { error, abort }), z.string());
}

/** A Go duration. */
export const duration = rule("is not a duration.", isDuration);

const UNUSABLE = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"];

/** An IPv4 range that hosts can use, written from its first address. */
export const cidr = text(
  rule("is not an address range.", (value) => parseCidr(value) !== undefined),
  rule(
    "is an IPv6 range. Cilium's strict mode covers IPv4 only, so Wirecloak installs IPv4 clusters.",
    (value) => parseCidr(value)?.family === "ipv4",
  ),
  rule(
    (value) => `does not begin at its first address. Did you mean ${network(value)}?`,
    (value) => network(value) === value,
  ),
  rule("lies in a range that hosts cannot use (loopback, link-local, multicast or reserved).", (value) =>
    UNUSABLE.every((range) => !overlap(parsed(range), parsed(value))),
  ),
);

function parsed(value: string) {
  const range = parseCidr(value);
  if (range === undefined) throw new RangeError(`not a range: ${value}`);
  return range;
}

function network(value: string): string {
  return networkOf(parsed(value));
}

/** The range of Services: kube-apiserver takes at most 20 bits of host addresses, and needs a few for its own. */
export const serviceCidr = cidr.refine(
  (value) => {
    const prefix = parseCidr(value)?.prefix ?? 0;
    return prefix >= 12 && prefix <= 28;
  },
  { error: "has a size that the Kubernetes API server does not take." },
);

/** Cilium's `cluster.name` (values.yaml of the chart) and kind's names: a DNS label, of at most 32 characters for Cilium. */
export const name = text(
  rule("is longer than the 32 characters that Cilium takes.", (value) => value.length <= 32),
  rule("is no cluster name.", (value) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(value)),
);
