import * as pulumi from "@pulumi/pulumi";
import { createCluster } from "../../../components/cluster/eks/index.ts";
import { drifted, repairs } from "../../../components/live/drift.ts";
import type { Live, LiveNode } from "../../../components/live/live.ts";
import { recordOf } from "../../../components/live/record.ts";
import { Proof } from "../../../components/proof/proof.ts";
import { settingsOf } from "../components/config.ts";
import { liveCluster } from "../components/live/liveCluster.ts";
import { outputValue, startMocks } from "../outputs.ts";

const COMMAND = "command:local:Command";
const AT = "2026-11-21T10:00:00.000Z";
const NONE = { cilium: "", guard: "", admission: "", proof: "" };

/** A cluster as its last update left it. */
const left = ((live: Live): Live => ({
  ...live,
  record: recordOf(live, { repairs: NONE, proveAgain: false, run: "run-1", at: AT }),
}))(liveCluster("wireguard"));

const node = (name: string): LiveNode => ({ name, bootId: name, key: 255, publicKey: null, by: null });

/** What makes the proof of an update run again, in the order of the inputs. */
async function triggersOf(live: Live): Promise<unknown> {
  const recorded = await startMocks({ [COMMAND]: () => ({ stdout: "{}" }) }, true);
  const settings = settingsOf({ cluster: { provider: "eks", name: "dev" } });
  const cluster = createCluster("dev", settings, recorded.recording);
  const proof = new Proof(
    "proof",
    { settings, cluster: { ...cluster, incarnation: pulumi.output("one") }, revision: 1, repair: repairs(live).proof },
    recorded.recording,
  );
  await outputValue(proof.urn);
  await pulumi.runtime.disconnect();
  return recorded.resources.find(({ name }) => name === "proof-read-back")?.inputs.triggers;
}

// A cluster of mocks is made for each.
jest.setTimeout(120_000);

describe("nodes of an EKS cluster that come and go between updates", () => {
  test("have the next update, and a preview, prove again, by the name of each", async () => {
    const before = await triggersOf(left);
    expect(before).toEqual(expect.any(Array));
    expect(await triggersOf(left)).toEqual(before);

    const scaled = { ...left, ciliumNodes: [...left.ciliumNodes, node("ip-10-0-1-77")] };
    expect(drifted(scaled)).toEqual(["node ip-10-0-1-77 joined"]);
    expect(await triggersOf(scaled)).not.toEqual(before);

    const replaced = { ...left, ciliumNodes: [...left.ciliumNodes.slice(1), node("ip-10-0-1-78")] };
    expect(drifted(replaced)).toEqual(["node ip-10-0-1-78 joined", "node a left"]);
    expect(await triggersOf(replaced)).not.toEqual(before);
  });

  test("do not have agents start anew, nor the guard made again", () => {
    const scaled = { ...left, ciliumNodes: [...left.ciliumNodes, node("ip-10-0-1-77")] };
    expect(repairs(scaled)).toEqual({ ...NONE, proof: expect.stringMatching(/.+/) });
  });
});
