import * as pulumi from "@pulumi/pulumi";
import { createCluster } from "../../components/cluster/cluster.ts";
import { clusterProvider } from "../../components/cluster/provider.ts";
import type { Live } from "../../components/live/live.ts";
import { Settled } from "../../components/live/settled.ts";
import { settingsOf } from "./components/config.ts";
import { liveCluster } from "./components/live/liveCluster.ts";
import { outputValue, startMocks } from "./outputs.ts";

const COMMAND = "command:local:Command";
const report = {
  incarnation: "incarnation-1",
  server: { host: "h", port: 6443 },
  kubeconfigPath: "/state/kubeconfig",
  kubeconfig: "the kubeconfig",
};

/** The record's part of index.ts, of an update that found this cluster. */
async function recorded(live: Live | undefined) {
  const mocks = await startMocks({ [COMMAND]: () => ({ stdout: JSON.stringify(report) }) });
  const settings = settingsOf({ cluster: { provider: "kind", name: "dev" } });
  const cluster = await createCluster("dev", settings, mocks.recording);
  const provider = clusterProvider("dev", cluster, mocks.recording);
  const repairs = { cilium: "", guard: "", admission: "", proof: "" };
  const args = { settings, cluster, provider, live, repairs, proveAgain: false, after: [], ran: [] };
  const settled = new Settled("record", args, mocks.recording);
  await outputValue(settled.urn);
  await pulumi.runtime.disconnect();
  const record = mocks.resources.find(({ name }) => name === "record-configmap");
  return { inputs: record?.inputs, options: mocks.options.get("record-configmap") };
}

const FOUND: [string, Live | undefined][] = [
  ["no cluster", undefined],
  ["a record", liveCluster("wireguard")],
  [
    "no record",
    liveCluster("wireguard", (live) => {
      live.record = null;
    }),
  ],
];

describe("the record of an update", () => {
  test.each(FOUND)(
    "that found %s takes its field over, whoever holds it: a killed run had another name",
    async (_, live) => {
      const { inputs } = await recorded(live);
      expect(inputs?.metadata).toEqual({
        name: "wirecloak-record",
        namespace: "kube-system",
        annotations: { "pulumi.com/patchForce": "true" },
      });
      expect(inputs?.data).toEqual({ "record.json": JSON.stringify(report) });
    },
  );

  test("is made anew where it is gone, since nothing patches what is not there; else it stays the same object", async () => {
    const options = async (live: Live | undefined) => (await recorded(live)).options;
    const anew = { replaceOnChanges: ["*"], deleteBeforeReplace: true };
    expect(await options(FOUND[2]?.[1])).toMatchObject(anew);
    for (const [, live] of FOUND.slice(0, 2)) expect(await options(live)).not.toHaveProperty("replaceOnChanges");
  });
});
