import type { V1Pod } from "@kubernetes/client-node";
import { expired, hostPod, type ProbeSpec, probeNamespace, talkerPod } from "../../prover/wire/podManifest.ts";

const spec: ProbeSpec = { image: "probe", markerPort: 20_001, hostTalks: false, deadline: 300 };

const container = (pod: V1Pod) => pod.spec?.containers[0];

test("the manifests of a node's probe", () => {
  expect([hostPod(3, "dev-worker3", spec), talkerPod(3, "dev-worker3", spec)]).toMatchSnapshot();
});

test("the namespace says whose it is, when it is over, and that its pods may capture", () => {
  expect(probeNamespace("wirecloak-probe-1", new Date("2026-11-21T10:00:00Z"))).toMatchSnapshot();
});

test("only NET_RAW is given, to the pod that captures; the other one has no privilege", () => {
  expect(container(hostPod(0, "n", spec))?.securityContext?.capabilities).toEqual({ drop: ["ALL"], add: ["NET_RAW"] });
  expect(container(talkerPod(0, "n", spec))?.securityContext).toMatchObject({
    runAsNonRoot: true,
    capabilities: { drop: ["ALL"] },
  });
  for (const pod of [hostPod(0, "n", spec), talkerPod(0, "n", spec)]) {
    expect(pod.spec).toMatchObject({ automountServiceAccountToken: false, tolerations: [{ operator: "Exists" }] });
    expect(container(pod)?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
    });
  }
});

test("the node's own network has an echo server only where nodes talk to each other", () => {
  const script = (pod: V1Pod): string => container(pod)?.command?.[2] ?? "";
  expect(script(hostPod(0, "n", spec))).not.toContain("20001");
  expect(script(hostPod(0, "n", { ...spec, hostTalks: true }))).toContain("TCP4-LISTEN:20001");
});

test("only namespaces whose date has passed are swept", () => {
  const made = (name: string, expires: string, more = {}) => ({
    metadata: { ...probeNamespace(name, new Date(expires)).metadata, ...more },
  });
  const now = new Date("2026-11-21T10:00:00Z");
  const namespaces = [
    made("over", "2026-11-21T09:59:59Z"),
    made("running", "2026-11-21T10:00:01Z"),
    made("leaving", "2026-11-21T09:00:00Z", { deletionTimestamp: now }),
    made("undated", "2026-11-21T09:00:00Z", { annotations: {} }),
  ];
  expect(expired(namespaces, now)).toEqual(["over"]);
});
