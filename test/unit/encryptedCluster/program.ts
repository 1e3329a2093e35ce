import * as pulumi from "@pulumi/pulumi";
import type { Checked } from "../../../components/look/judge.ts";
import { settingsOf } from "../components/config.ts";
import { type Outputs, outputValue, type Recorded, startMocks } from "../outputs.ts";

export const TYPES = {
  command: "command:local:Command",
  release: "kubernetes:helm.sh/v3:Release",
  psk: "random:index/randomPassword:RandomPassword",
} as const;

export const KUBECONFIG = "the kubeconfig";
export const SUMMARY = {
  verdict: "proven",
  statement: "It is.",
  reasons: ["a reason"],
  evidence: "/state/evidence.json",
  counts: { nodes: 2, pairs: 2, readable: 0, encrypted: 40 },
  mayPass: false,
};
const report = {
  incarnation: "incarnation-1",
  server: { host: "control-plane", port: 6443 },
  kubeconfigPath: "/state/kubeconfig",
  kubeconfig: KUBECONFIG,
};

const mocks: Outputs = {
  [TYPES.command]: () => ({ stdout: JSON.stringify({ ...report, ...SUMMARY }) }),
  [TYPES.psk]: ({ length }) => ({ result: "0123456789abcdef".repeat(5).slice(0, Number(length)) }),
  [TYPES.release]: () => ({ status: { revision: 7 } }),
};

/** Settings that passed, with nothing live and nothing to repair. */
export function checked(config: Record<string, unknown>): Checked {
  const settings = settingsOf(config);
  return { settings, live: undefined, repairs: { cilium: "", guard: "", admission: "", proof: "" } };
}

export interface Ran<T> extends Recorded {
  made: T;
  /** Of every resource, without stack and project: its type below its parents', and its name. */
  urns: string[];
  /** URNs, in the same way, of the resources that must be there before. */
  waitsFor(name: string): Promise<string[]>;
}

/** Runs a program to its end under mocks. `outputs`: of what the mocks here do not know. */
export async function run<T>(
  program: (recording: pulumi.ComponentResourceOptions) => T | Promise<T>,
  { preview = false, outputs = {} }: { preview?: boolean; outputs?: Outputs } = {},
): Promise<Ran<T>> {
  const recorded = await startMocks({ ...outputs, ...mocks }, preview);
  const made = await program(recorded.recording);
  // The mocks' own record is the only place that has the parents' types in it, and of them the nearest.
  const monitor = pulumi.runtime.getMonitor() as unknown as { resources: Map<string, unknown> };
  await pulumi.runtime.disconnect();
  return {
    ...recorded,
    made,
    urns: [...monitor.resources.keys()].map(short).sort(),
    waitsFor: async (name) => {
      const { dependsOn = [] } = (recorded.options.get(name) ?? {}) as { dependsOn?: pulumi.Resource[] };
      return Promise.all([dependsOn].flat().map(async ({ urn }) => short(await outputValue(urn))));
    },
  };
}

function short(urn: string): string {
  return urn.replace("urn:pulumi:stack::project::", "");
}
