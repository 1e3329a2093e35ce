import type { Intent } from "./intent.ts";
import type { LeftoversSeen } from "./observation.ts";

const DEVICES = ["ip", "-o", "link", "show"];
/** Counts only: to list XFRM states would print keys. */
const XFRM = [
  ["ip", "xfrm", "state", "count"],
  ["ip", "xfrm", "policy", "count"],
];

/** The commands that tell what a node has of other modes than this one. */
export function leftoverCommands({ encryption }: Intent): string[][] {
  return encryption === "ipsec" ? [DEVICES] : [DEVICES, ...XFRM];
}

/** Reads what the commands printed, one after the other. */
export function parseLeftovers(output: string): Pick<LeftoversSeen, "devices" | "xfrm"> {
  const devices = [...output.matchAll(/^\d+: (cilium_[^:@\s]+)/gm)].flatMap(([, name]) => name ?? []);
  const states = /SAD count (\d+)/.exec(output)?.[1];
  const policies = /SPD IN\s+(\d+) OUT (\d+) FWD (\d+)/.exec(output)?.slice(1);
  if (states === undefined || policies === undefined) return { devices, xfrm: null };
  return { devices, xfrm: { states: Number(states), policies: policies.reduce((sum, each) => sum + Number(each), 0) } };
}
