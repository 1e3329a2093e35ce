import { isLive, livePlace, lookAt } from "../../../../components/live/live.ts";
import { guardInCloud } from "../../proverTroubles/guard.ts";
import { settingsOf } from "../config.ts";
import { liveCluster } from "./liveCluster.ts";

const { guard: _, ...facts } = liveCluster("wireguard");
const said = (document: unknown) => ({ code: 0, stdout: JSON.stringify(document), stderr: "" });

/** What is told to the guard's program, and what is read with its answer; the cluster runs WireGuard. */
async function looked(
  config: Record<string, unknown>,
  shown: ReturnType<typeof said> | { code: number; stdout: string; stderr: string },
) {
  const orders: { forms?: string[] }[] = [];
  const live = await lookAt(livePlace(settingsOf(config)), async (_path, [command], input = "") => {
    if (command === "live") return said(facts);
    orders.push(JSON.parse(input));
    return shown;
  });
  return { orders, guard: isLive(live) ? live.guard : "nobody answers" };
}

describe("the guard of a live cluster", () => {
  test("in a cloud is held against what the cluster sends, whatever the settings have it send next", async () => {
    const told = guardInCloud(["10.0.1.10"]);
    const { orders, guard } = await looked({ cluster: { provider: "eks" }, encryption: "ipsec" }, said(told));
    expect(orders).toMatchObject([{ forms: ["wireguard"], place: { region: "us-west-2", cluster: "dev" } }]);
    expect(guard).toEqual(told);
  });

  test("on a bridge tells of itself", async () => {
    const { orders } = await looked({ cluster: { provider: "rehearsal", name: "r" } }, said(null));
    expect(orders).toHaveLength(1);
    expect(orders[0]).not.toHaveProperty("forms");
  });

  test("that does not answer is unknown, which is not the same as none", async () => {
    const refused = { code: 1, stdout: "", stderr: "UnauthorizedOperation" };
    for (const cluster of [{ provider: "eks" }, { provider: "rehearsal", name: "r" }])
      expect((await looked({ cluster }, refused)).guard).toBeUndefined();
    expect((await looked({ cluster: { provider: "eks" } }, said(null))).guard).toBeNull();
  });

  test("is not asked for where the settings want none", async () => {
    const { orders } = await looked({ cluster: { provider: "eks" }, guard: "false" }, said(null));
    expect(orders).toEqual([]);
  });
});
