import { createInterface } from "node:readline/promises";
import type { Settings } from "../components/settings.ts";
import { UserError } from "../components/userError.ts";
import { say } from "./say.ts";

/** What somebody pays for from the first hour on, a line each; empty for clusters on machines that are there. Prices are the region's: AWS's calculator knows them. */
export function costDrivers({ cluster }: Settings): string[] {
  if (cluster.provider !== "eks") return [];
  const { vpc, nodeGroups, logs, logRetentionDays } = cluster;
  const gateways = vpc.natGateways === "per-zone" ? (vpc.zones?.length ?? 2) : 1;
  return [
    "the control plane, by the hour",
    ...Object.entries(nodeGroups).map(([name, { nodes, max = nodes, instanceTypes, spot, diskGiB }]) => {
      const upTo = max > nodes ? `, up to ${max} where something scales them` : "";
      return `nodes "${name}": ${nodes} x ${instanceTypes.join(" or ")}${spot ? ", spot" : ""} with ${diskGiB} GiB each${upTo}, by the hour`;
    }),
    ...(vpc.id === undefined ? [`NAT gateways: ${gateways}, by the hour and by what goes through them`] : []),
    "traffic between availability zones, by volume",
    ...(logs.length > 0 ? [`logs of the control plane (${logs.join(", ")}), kept for ${logRetentionDays} days`] : []),
    "a KMS key, by the month, also while it waits to be deleted",
  ];
}

/** Where the answer to the question comes from: a person at a terminal, or nobody. */
export interface Asked {
  /** `--yes` was given. */
  yes: boolean;
  /** Asks and resolves with the answer; undefined where nobody is there. */
  ask: ((question: string) => Promise<string>) | undefined;
}

/** Whether a cluster that costs money may be made. Throws a UserError where nobody is there to ask. */
export async function mayCost(settings: Settings, { yes, ask }: Asked): Promise<boolean> {
  const drivers = costDrivers(settings).map((line) => `  - ${line}`);
  say(`this makes what costs money from now on until make down:\n${drivers.join("\n")}`);
  if (yes) return true;
  if (ask) return /^y(es)?$/i.test((await ask("wirecloak: make it? [y/N] ")).trim());
  throw new UserError([
    {
      key: "make up",
      message: "This makes what costs money, and nobody is there to be asked.",
      allowed: "a terminal, or the word that it may",
      fix: "make up STACK=... YES=1",
    },
  ]);
}

/** Asks at the terminal, where there is one. */
export function terminal(): Asked["ask"] {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  return async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question);
    } finally {
      lines.close();
    }
  };
}
