import type { Live } from "../../../../components/live/live.ts";
import { preflight, preflightWarnings } from "../../../../components/live/preflight.ts";
import { settingsOf } from "../config.ts";
import { ipsec, LONG_AGO, liveCluster, NOW, ofVersion, rotatedTo, secretOf } from "./liveCluster.ts";

const problems = (config: object, live: Live) => preflight(settingsOf({ ...config }), live, NOW);

function guardedBy(...forms: NonNullable<Live["guard"]>["forms"]): Live {
  const guard = forms.length > 0 ? { generation: "g", forms } : null;
  return liveCluster("ipsec", (live) => Object.assign(live, { guard }));
}

/** A cluster in IPsec mode on EKS, whose nodes' security group lets these modes pass. */
function guardedInCloud(forms: NonNullable<Live["guard"]>["forms"]): Live {
  const rules = { by: "AWS", at: LONG_AGO, open: [], faults: [], addresses: [] };
  return liveCluster("ipsec", (live) => {
    Object.assign(live, { guard: { generation: "sg-1", forms, rules } });
    Object.assign(live.config?.data ?? {}, { "routing-mode": "native", ipam: "eni" });
  });
}

/** A cluster in WireGuard mode that runs with these options. */
function running(options: Record<string, string>): Live {
  return liveCluster("wireguard", ({ config }) => Object.assign(config?.data ?? {}, options));
}

describe("goes on", () => {
  const plaintext = { encryption: "none", allowPlaintext: { reason: "a test", until: "2027-01-01" } };
  test.each<[string, object, Live]>([
    ["where nothing is changed", ipsec(3), liveCluster("ipsec")],
    ["with a rotation by one", ipsec(4), liveCluster("ipsec")],
    ["with a rotation from 15 to 1", ipsec(1), liveCluster("ipsec", rotatedTo(15, LONG_AGO))],
    ["with a switch to IPsec with any key id", ipsec(9), liveCluster("wireguard")],
    ["with a switch to IPsec from plaintext, with a longer key", ipsec(9, { keyBits: 256 }), liveCluster("none")],
    [
      "with a switch to WireGuard, whatever the key id is meanwhile",
      { ...ipsec(9), encryption: "wireguard" },
      liveCluster("ipsec"),
    ],
    ["with encryption turned off", plaintext, liveCluster("ipsec")],
    // Every network mode of EKS knows itself again in the configuration that it makes.
    ["with ENI as it is on EKS", { cluster: { provider: "eks" } }, running({ "routing-mode": "native", ipam: "eni" })],
    [
      "with an overlay as it is on EKS",
      { cluster: { provider: "eks", network: "overlay" } },
      running({ ipam: "cluster-pool", "cluster-pool-ipv4-cidr": "10.244.0.0/16" }),
    ],
    [
      "with chaining as it is on EKS",
      { cluster: { provider: "eks", network: "chaining" } },
      running({ "routing-mode": "native", ipam: "cluster-pool", "cni-chaining-mode": "aws-cni" }),
    ],
    [
      "with admission turned off alone",
      { encryption: "wireguard", admission: false },
      liveCluster("wireguard", (live) => Object.assign(live, { admission: { allowed: "wireguard\n", by: null } })),
    ],
    ["with the guard turned off alone", { ...ipsec(3), guard: false }, guardedBy("ipsec")],
    [
      "with a switch and the guard of EKS turned off, which opens before the proof",
      { cluster: { provider: "eks" }, encryption: "wireguard", guard: false },
      guardedInCloud(["ipsec"]),
    ],
    ["with a switch and a guard", { encryption: "wireguard" }, guardedBy("ipsec")],
    ["with a switch without a guard where there is none", { encryption: "wireguard", guard: false }, guardedBy()],
    [
      "with a rotation that was cut short after the Secret was patched",
      ipsec(4),
      liveCluster("ipsec", (live) => {
        const { record } = live;
        rotatedTo(4, "2026-11-21T11:59:00.000Z", [3, 4, 3])(live);
        live.record = record && { ...record, key: { id: 3, digest: "secret-3", since: LONG_AGO } };
      }),
    ],
    [
      "with a switch that was cut short: some nodes are in the old mode",
      { encryption: "wireguard" },
      liveCluster("ipsec", ({ ciliumNodes: [first] }) => first && Object.assign(first, { key: 255 })),
    ],
    [
      "with that switch taken back",
      ipsec(3),
      liveCluster("ipsec", ({ config, ciliumNodes: [first] }) => {
        if (config) config.data = { ...config.data, "enable-ipsec": "false", "enable-wireguard": "true" };
        if (first) first.key = 255;
      }),
    ],
    [
      "with the repair of a key that was edited by hand",
      ipsec(3),
      liveCluster("ipsec", (live) => Object.assign(secretOf(live), { digest: "other" })),
    ],
    [
      "with the repair of a missing Secret",
      ipsec(3),
      liveCluster("ipsec", (live) => Object.assign(live, { secret: null })),
    ],
    [
      "with a repair while a node is down and the rotation before is in flight",
      ipsec(4),
      liveCluster("ipsec", (live) => {
        rotatedTo(4, "2026-11-21T11:59:00.000Z")(live);
        Object.assign(live.nodes[1] ?? {}, { ready: false });
      }),
    ],
    [
      "with a rotation once the one before has ended",
      ipsec(5),
      // 5 min, a tenth of it, and a minute.
      liveCluster("ipsec", rotatedTo(4, "2026-11-21T11:53:30.000Z")),
    ],
    [
      "with a rotation right after the first install: no agent ever had another key",
      ipsec(4),
      liveCluster("ipsec", (live) => {
        rotatedTo(3, "2026-11-21T11:58:00.000Z")(live);
        for (const agent of live.agents) agent.startedAt = "2026-11-21T11:58:30.000Z";
      }),
    ],
    [
      "with a rotation of a key that was only put back: no agent ever had another one",
      ipsec(4),
      liveCluster("ipsec", (live) => {
        secretOf(live).by = { manager: "kubectl-patch", operation: "Update", time: "2026-11-21T11:59:00.000Z" };
      }),
    ],
    [
      "with a rotation in spite of a node that is named",
      ipsec(4, { rotateDespite: ["b"] }),
      liveCluster("ipsec", (live) => Object.assign(live.nodes[1] ?? {}, { ready: false })),
    ],
    ["with an upgrade to the next minor version", ipsec(3), liveCluster("ipsec", ofVersion("1.19.6"))],
    ["with another patch of the same version", ipsec(3, {}, { version: "1.20.0" }), liveCluster("ipsec")],
    [
      "where a first install never ran: any routing, and any key",
      ipsec(9, {}, { routing: "native", nativeCidr: "10.244.0.0/16" }),
      liveCluster("ipsec", (live) => {
        live.record = null;
        for (const agent of live.agents) agent.ready = false;
      }),
    ],
    [
      "where nobody knows what was before",
      ipsec(4),
      liveCluster("ipsec", (live) => Object.assign(live, { record: null })),
    ],
  ])("%s", (_, config, live) => {
    expect(problems(config, live)).toEqual([]);
  });
});

describe("is refused", () => {
  test.each<[string, object, Live, string, RegExp, RegExp]>([
    [
      "the guard turned off together with a switch",
      { encryption: "wireguard", guard: false },
      guardedBy("ipsec"),
      "guard",
      /lets ipsec pass.*at the end of an update/,
      /guard true && pulumi up && .*guard false && pulumi up$/,
    ],
    [
      "the guard turned off together with encryption",
      { encryption: "none", allowPlaintext: { reason: "a test", until: "2027-01-01" }, guard: false },
      guardedBy("wireguard"),
      "guard",
      /lets wireguard pass/,
      /guard false/,
    ],
    [
      "admission turned off together with a switch",
      { encryption: "wireguard", admission: false },
      liveCluster("ipsec", (live) =>
        Object.assign(live, { admission: { allowed: "ipsec ipsec-key-file=/etc/ipsec/keys\n", by: null } }),
      ),
      "admission",
      /allow ipsec \S+, and the settings turn them off and ask for wireguard at once/,
      /admission true && pulumi up && .*admission false && pulumi up$/,
    ],
    [
      "a step of two",
      ipsec(5),
      liveCluster("ipsec"),
      "ipsec.keyId",
      /holds key 3.*steps by exactly one/,
      /set --path wirecloak:ipsec.keyId 4$/,
    ],
    [
      "a step past 15",
      ipsec(2),
      liveCluster("ipsec", rotatedTo(15, LONG_AGO)),
      "ipsec.keyId",
      /1 follows 15/,
      /keyId 1$/,
    ],
    [
      "going back",
      ipsec(3),
      liveCluster("ipsec", rotatedTo(4, LONG_AGO)),
      "ipsec.keyId",
      /goes back: the Secret holds key 4.*rollback is key 5/,
      /keyId 5$/,
    ],
    [
      "going back from 1 to 15",
      ipsec(15),
      liveCluster("ipsec", rotatedTo(1, LONG_AGO)),
      "ipsec.keyId",
      /rollback is key 2/,
      /keyId 2$/,
    ],
    [
      "going back while only the Secret has changed",
      ipsec(3),
      liveCluster("ipsec", rotatedTo(4, "2026-11-21T11:59:00.000Z", [3, 3, 3])),
      "ipsec.keyId",
      /goes back: the Secret holds key 4.*The agents announce 3/,
      /keyId 5$/,
    ],
    [
      "a second rotation too early, with the time when it is free",
      ipsec(5),
      liveCluster("ipsec", rotatedTo(4, "2026-11-21T11:58:00.000Z")),
      "ipsec.keyId",
      /rotation to key 4 is in flight.*free at 2026-11-21T12:04:30.000Z, in 270 s/,
      /wait 270 s/,
    ],
    [
      "a rotation while agents announce different keys",
      ipsec(5),
      liveCluster("ipsec", rotatedTo(4, LONG_AGO, [4, 3, 4])),
      "ipsec.keyId",
      /in flight: b \(3\) announce/,
      /kubectl get ciliumnodes/,
    ],
    [
      "a rotation while nodes run different versions",
      ipsec(4),
      liveCluster("ipsec", ({ agents: [first] }) => first && Object.assign(first, { version: "1.19.6" })),
      "ipsec.keyId",
      /different versions of Cilium \(1.19.6, 1.20.2\)/,
      /rollout status/,
    ],
    [
      "a rotation together with an upgrade",
      ipsec(4),
      liveCluster("ipsec", ofVersion("1.19.6")),
      "ipsec.keyId",
      /change Cilium from 1.19.6 to 1.20.2.*the one, then the other/,
      /cilium.version 1.19.6$/,
    ],
    [
      "a rotation while a node is down",
      ipsec(4),
      liveCluster("ipsec", ({ nodes }) => Object.assign(nodes[1] ?? {}, { ready: false })),
      "ipsec.keyId",
      /would miss the new key: b \(it is not ready\)/,
      /--path 'wirecloak:ipsec.rotateDespite\[0\]' b$/,
    ],
    [
      "a rotation while an agent is down",
      ipsec(4, { rotateDespite: ["a"] }),
      liveCluster("ipsec", ({ agents }) => Object.assign(agents[2] ?? {}, { ready: false })),
      "ipsec.keyId",
      /c \(its agent is not ready\)/,
      /rotateDespite\[1\]' c$/,
    ],
    [
      "a rotation from a missing Secret",
      ipsec(4),
      liveCluster("ipsec", (live) => Object.assign(live, { secret: null })),
      "ipsec.keyId",
      /Secret cilium-ipsec-keys is missing, while the agents use key 3/,
      /keyId 3 && pulumi up/,
    ],
    [
      "a rotation from a Secret without a key",
      ipsec(4),
      liveCluster("ipsec", (live) => Object.assign(secretOf(live), { keyId: null, keyBits: null })),
      "ipsec.keyId",
      /holds no key that Cilium could read/,
      /keyId 3 && pulumi up/,
    ],
    [
      "a rotation from a Secret that may not be read",
      ipsec(4),
      liveCluster("ipsec", (live) => Object.assign(live, { secret: null, secretUnread: "403: forbidden" })),
      "ipsec.keyId",
      /cannot be read \(403: forbidden\)/,
      /auth can-i/,
    ],
    [
      "a rotation from a key that was edited by hand",
      ipsec(4),
      liveCluster("ipsec", (live) =>
        Object.assign(secretOf(live), {
          digest: "other",
          by: { manager: "kubectl-edit", operation: "Update", time: LONG_AGO },
        }),
      ),
      "ipsec.keyId",
      /not the one that the last complete update left.*by kubectl-edit at 2026-11-20/,
      /keyId 3 && pulumi up/,
    ],
    [
      "another key length while the old key is in use",
      ipsec(3, { keyBits: 256 }),
      liveCluster("ipsec"),
      "ipsec.keyBits",
      /key of 128 bits/,
      /encryption wireguard && pulumi up && .*encryption ipsec && pulumi up/,
    ],
    [
      "another routing mode",
      { cilium: { routing: "native", nativeCidr: "10.244.0.0/16" } },
      liveCluster("wireguard"),
      "cilium.routing",
      /runs with tunnel/,
      /routing tunnel/,
    ],
    [
      "another tunnel protocol",
      { cilium: { tunnel: "geneve" } },
      liveCluster("wireguard"),
      "cilium.tunnel",
      /runs with vxlan/,
      /tunnel vxlan/,
    ],
    [
      "another IPAM",
      { cilium: { ipam: "cluster-pool" } },
      liveCluster("wireguard"),
      "cilium.ipam",
      /by kubernetes/,
      /ipam kubernetes/,
    ],
    [
      "another pool",
      { cilium: { ipam: "cluster-pool" }, cluster: { podCidr: "10.1.0.0/16" } },
      liveCluster("wireguard", ({ config }) =>
        Object.assign(config?.data ?? {}, { ipam: "cluster-pool", "cluster-pool-ipv4-cidr": "10.0.0.0/16" }),
      ),
      "cluster.podCidr",
      /addresses of 10.0.0.0\/16/,
      /podCidr 10.0.0.0\/16/,
    ],
    [
      "another network mode of EKS",
      { cluster: { provider: "eks" } },
      liveCluster("wireguard", ({ config }) => Object.assign(config?.data ?? {}, { ipam: "cluster-pool" })),
      "cluster.network",
      /runs with overlay/,
      /cluster.network overlay/,
    ],
    [
      "another pool of an overlay on EKS",
      { cluster: { provider: "eks", network: "overlay" } },
      liveCluster("wireguard", ({ config }) =>
        Object.assign(config?.data ?? {}, { ipam: "cluster-pool", "cluster-pool-ipv4-cidr": "10.1.0.0/16" }),
      ),
      "cluster.podCidr",
      /addresses of 10.1.0.0\/16/,
      /podCidr 10.1.0.0\/16/,
    ],
    [
      "an upgrade past a minor version",
      {},
      liveCluster("wireguard", ({ agents: [first] }) => first && Object.assign(first, { version: "1.18.12" })),
      "cilium.version",
      /step up to the next minor version only/,
      /1.19.x$/,
    ],
    [
      "a way back past a minor version",
      { cilium: { version: "1.18.12" } },
      liveCluster("wireguard"),
      "cilium.version",
      /step back to the previous minor version only/,
      /1.19.x$/,
    ],
  ])("%s", (_, config, live, key, message, fix) => {
    const [problem, ...others] = problems(config, live);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      key: `wirecloak:${key}`,
      message: expect.stringMatching(message),
      fix: expect.stringMatching(fix),
    });
  });

  test("for all reasons at once", () => {
    const live = liveCluster("ipsec", (changed) => {
      rotatedTo(4, "2026-11-21T11:58:00.000Z")(changed);
      Object.assign(changed.nodes[1] ?? {}, { ready: false });
    });
    const found = problems(ipsec(5, { keyBits: 256 }, { tunnel: "geneve" }), live).map(({ key }) =>
      key.slice("wirecloak:".length),
    );
    expect(found).toEqual(["cilium.tunnel", "ipsec.keyBits", "ipsec.keyId", "ipsec.keyId"]);
  });
});

describe("is told of", () => {
  const warned = (config: object, live: Live) =>
    preflightWarnings(settingsOf({ ...config }), live, NOW).map(({ message }) => message);

  test.each<[string, object, Live, RegExp]>([
    ["a step back", { cilium: { version: "1.19.6" } }, liveCluster("wireguard"), /goes back from Cilium 1.20.2/],
    [
      "a switch in a rehearsal of old versions",
      { cilium: { version: "1.17.18" }, cluster: { provider: "rehearsal" } },
      liveCluster("ipsec", ofVersion("1.17.18")),
      /not modelled/,
    ],
    [
      "a key that is too old",
      { ...ipsec(3), rotation: { maxAgeDays: 90 } },
      liveCluster(
        "ipsec",
        ({ record }) => record?.key && Object.assign(record.key, { since: "2026-08-01T00:00:00.000Z" }),
      ),
      /key 3 is 112 days old: its rotation is overdue/,
    ],
  ])("%s", (_, config, live, message) => {
    expect(warned(config, live)).toEqual([expect.stringMatching(message)]);
  });

  test("nothing where there is nothing to tell", () => {
    expect(warned({ ...ipsec(3), rotation: { maxAgeDays: 90 } }, liveCluster("ipsec"))).toEqual([]);
    expect(warned({ cilium: { version: "1.17.18" } }, liveCluster("ipsec", ofVersion("1.17.18")))).toEqual([]);
  });

  test("not of an old key by the update that rotates it", () => {
    const live = liveCluster(
      "ipsec",
      ({ record }) => record?.key && Object.assign(record.key, { since: "2026-08-01T00:00:00.000Z" }),
    );
    expect(warned({ ...ipsec(4), rotation: { maxAgeDays: 90 } }, live)).toEqual([]);
  });
});

describe("Cilium in another namespace than the settings'", () => {
  const without = (...ciliumIn: string[]) =>
    liveCluster("wireguard", (live) => Object.assign(live, { config: null, ciliumIn }));

  test("is refused, since Helm moves no release", () => {
    expect(problems({ cilium: { namespace: "cilium" } }, without("kube-system"))).toEqual([
      expect.objectContaining({
        key: "wirecloak:cilium.namespace",
        allowed: "kube-system in this cluster",
        fix: "pulumi config set --path wirecloak:cilium.namespace kube-system",
      }),
    ]);
  });

  test.each([["there is none"], ["it only lacks its cilium-config", "cilium"]])("is not where %s", (_, ...ciliumIn) => {
    expect(problems({ cilium: { namespace: "cilium" } }, without(...ciliumIn))).toEqual([]);
  });
});
