import type { V1Pod } from "@kubernetes/client-node";
import { deviceInEndpoints, deviceInRoute } from "../../prover/sniff/endpointDevice.ts";
import { choosePair, parseWorkload, podsOf } from "../../prover/sniff/workload.ts";

function pod(
  name: string,
  node: string,
  more: { labels?: Record<string, string>; ready?: boolean; set?: string } = {},
) {
  const { labels = {}, ready = true, set } = more;
  return {
    metadata: {
      name,
      namespace: "default",
      labels,
      ...(set && { ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: set, uid: "1" }] }),
    },
    spec: { nodeName: node, containers: [{ name: "main" }] },
    status: { podIP: "10.244.1.5", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  } satisfies V1Pod;
}

test.each([
  ["frontend-7d4f", { by: "pod", name: "frontend-7d4f" }],
  ["pod/frontend", { by: "pod", name: "frontend" }],
  ["deployment/frontend", { by: "deployment", name: "frontend" }],
  ["deploy/frontend", { by: "deployment", name: "frontend" }],
  ["app=frontend,tier=web", { by: "labels", labels: { app: "frontend", tier: "web" } }],
  ["select frontend", { by: "labels", labels: { app: "frontend" } }],
  ["select k8s-app=x", { by: "labels", labels: { "k8s-app": "x" } }],
  ["select deployment/x", { by: "deployment", name: "x" }],
])("%s", (text, name) => {
  expect(parseWorkload(text)).toEqual(name);
});

test.each(["", "two words here", "service/frontend", "app in (a)", "=x"])(
  "%j names no workload, and the error says what does",
  (text) => {
    expect(() => parseWorkload(text)).toThrow(/allowed: .*deployment\/NAME/);
  },
);

describe("the pods of a workload", () => {
  const pods = [
    pod("b-2", "n2", { labels: { app: "b" } }),
    pod("b-1", "n1", { labels: { app: "b" } }),
    pod("b-3", "n3", { labels: { app: "b" }, ready: false }),
    pod("c-5f-x", "n1", { labels: { app: "c", "pod-template-hash": "5f" }, set: "c-5f" }),
    pod("c-d-5f-x", "n1", { labels: { app: "c", "pod-template-hash": "5f" }, set: "c-d-5f" }),
  ];
  const names = (text: string) => podsOf(parseWorkload(text), pods).map((each) => each.pod);

  test("by label: those that are Ready, by name", () => expect(names("app=b")).toEqual(["b-1", "b-2"]));
  test("by deployment: not those of one with a longer name", () => expect(names("deployment/c")).toEqual(["c-5f-x"]));
  test("by name", () => expect(names("b-2")).toEqual(["b-2"]));
  test("one that is not Ready is none", () => expect(names("b-3")).toEqual([]));

  test("a pair on different nodes is preferred, whatever the order", () => {
    const [one = [], both = []] = [podsOf(parseWorkload("c-5f-x"), pods), podsOf(parseWorkload("app=b"), pods)];
    expect(choosePair(one, both)?.to.pod).toBe("b-2");
    expect(choosePair(one, both.slice(0, 1))?.to.node).toBe("n1");
  });
  test("a pod and itself are no pair", () => {
    const one = podsOf(parseWorkload("b-1"), pods);
    expect(choosePair(one, one)).toBeNull();
  });
});

describe("the device of a pod", () => {
  test("is in its route where it has one of its own", () => {
    expect(deviceInRoute('[{"dst":"10.244.1.5","dev":"lxc0af400c2"}]')).toBe("lxc0af400c2");
    expect(deviceInRoute('[{"dst":"10.244.1.5","dev":"cilium_host"}]')).toBeNull();
    expect(deviceInRoute("RTNETLINK answers: Network is unreachable")).toBeNull();
  });
  test("is what the agent says where it has none", () => {
    const endpoint = (ipv4: string, name?: string) => ({
      id: 1,
      status: { networking: { addressing: [{ ipv4 }], ...(name && { "interface-name": name }) } },
    });
    const list = JSON.stringify([
      endpoint("10.244.1.9", "lxc1"),
      endpoint("10.244.1.5", "lxc2"),
      { id: 2, status: {} },
    ]);
    expect(deviceInEndpoints(list, "10.244.1.5")).toBe("lxc2");
    expect(deviceInEndpoints(list, "10.244.1.6")).toBeNull();
    expect(deviceInEndpoints("[]", "10.244.1.5")).toBeNull();
    expect(deviceInEndpoints("Error: unknown command", "10.244.1.5")).toBeNull();
  });
});
