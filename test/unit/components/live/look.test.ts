import type { ShowOrder } from "../../../../components/encryption/guard/order.ts";
import { byPrograms, isLive, type LiveGuard, livePlace, lookAt } from "../../../../components/live/live.ts";
import { guardInCloud } from "../../proverTroubles/guard.ts";
import { settingsOf } from "../config.ts";
import { liveCluster } from "./liveCluster.ts";

jest.setTimeout(30_000);

const { guard: _, ...facts } = liveCluster("wireguard");

/** What is asked of the guard, and what is read with its answer; the cluster runs WireGuard. */
async function looked(config: Record<string, unknown>, shown: LiveGuard | null | undefined) {
  const orders: ShowOrder[] = [];
  const live = await lookAt(livePlace(settingsOf(config)), {
    cluster: async () => ({ ...facts, admission: null }),
    guard: async (order) => {
      orders.push(order);
      return shown;
    },
  });
  return { orders, guard: isLive(live) ? live.guard : "nobody answers" };
}

describe("the guard of a live cluster", () => {
  test("in a cloud is held against what the cluster sends, whatever the settings have it send next", async () => {
    const told: LiveGuard = { ...guardInCloud(["10.0.1.10"]), forms: ["wireguard"] };
    const { orders, guard } = await looked({ cluster: { provider: "eks" }, encryption: "ipsec" }, told);
    expect(orders).toMatchObject([{ forms: ["wireguard"], place: { region: "us-west-2", cluster: "dev" } }]);
    expect(guard).toEqual(told);
  });

  test("on a bridge tells of itself", async () => {
    const { orders } = await looked({ cluster: { provider: "rehearsal", name: "r" } }, null);
    expect(orders).toHaveLength(1);
    expect(orders[0]).not.toHaveProperty("forms");
  });

  test("that does not answer is unknown, which is not the same as none", async () => {
    for (const cluster of [{ provider: "eks" }, { provider: "rehearsal", name: "r" }])
      expect((await looked({ cluster }, undefined)).guard).toBeUndefined();
    expect((await looked({ cluster: { provider: "eks" } }, null)).guard).toBeNull();
  });

  test("is not asked for where the settings want none", async () => {
    const { orders } = await looked({ cluster: { provider: "eks" }, guard: "false" }, null);
    expect(orders).toEqual([]);
  });
});

describe("programs that cannot ask", () => {
  const nowhere = { kubeconfig: "/nowhere", namespace: "kube-system", admission: false };

  test("have the cluster not answer, and say why", async () => {
    expect(await byPrograms.cluster(nowhere)).toEqual({
      unreachable: expect.stringMatching(/^the kubeconfig \/nowhere cannot be read: /),
      at: expect.any(String),
    });
  });

  test("leave the guard unknown", async () => {
    const place = { nft: ["false"], network: ["false"], ofCluster: true };
    expect(await byPrograms.guard({ table: "wirecloak-r", place })).toBeUndefined();
  });
});
