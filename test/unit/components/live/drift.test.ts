import { drifted, isSecretMissing, missingPolicies, repairs } from "../../../../components/live/drift.ts";
import type { Live, LiveGuard, Repairs } from "../../../../components/live/live.ts";
import { recordOf } from "../../../../components/live/record.ts";
import { POLICIES, policyFacts } from "../../../../prover/live/admission.ts";
import type { RuleFault, RulesSeen } from "../../../../prover/observation.ts";

const AT = "2026-11-21T10:00:00.000Z";
const helm = { manager: "helm", operation: "Update", time: AT };
const somebody = { manager: "kubectl-edit", operation: "Update", time: "2026-11-22T08:00:00.000Z" };
const NONE: Repairs = { cilium: "", guard: "", admission: "", proof: "" };

const KINDS = ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"] as const;
const POLICY_OBJECTS = policyFacts(
  Object.values(POLICIES).flatMap((name) =>
    KINDS.map((kind) => ({ kind, metadata: { name, uid: `${kind}-${name}` } })),
  ),
);

/** A cluster in IPsec mode as an update has left it, with the record of that. */
function settled(repaired: Repairs = NONE): Live {
  const node = (name: string) => ({ name, bootId: `boot of ${name}`, key: 3, publicKey: null, by: null });
  const live: Live = {
    schema: 1,
    takenAt: AT,
    config: { data: { "enable-ipsec": "true", debug: "false" }, digest: "c1", changes: [{ ...helm, keys: ["debug"] }] },
    ciliumIn: [],
    nodeConfigs: [],
    daemonSet: {
      ...{ generation: 1, observedGeneration: 1, desired: 2, updated: 2, ready: 2 },
      revision: "r",
      options: [],
    },
    agents: [],
    ciliumNodes: [node("n1"), node("n2")],
    nodes: [],
    secret: { keyId: 3, keyBits: 128, digest: "k1", by: helm },
    secretUnread: null,
    guard: { generation: "g", forms: ["ipsec"], digest: "g1" },
    admission: { allowed: "ipsec\n", by: null },
    policies: POLICY_OBJECTS,
    brokenGlass: [],
    record: null,
  };
  return { ...live, record: recordOf(live, { repairs: repaired, proveAgain: false, run: "run-1", at: AT }) };
}

function at<T>(items: T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`nothing at ${index}`);
  return item;
}

const isBindingOf = (kind: string, name: string) => kind.endsWith("Binding") && name === "wirecloak-cilium-config";

type Case = [name: string, change: (live: Live) => Partial<Live>, touched: (keyof Repairs)[], words: RegExp];
const CASES: Case[] = [
  [
    "an option of encryption",
    ({ config }) => ({
      config: config && {
        ...{ data: { ...config.data, "enable-ipsec": "false" }, digest: "c2" },
        changes: [{ ...somebody, keys: ["enable-ipsec"] }, ...config.changes],
      },
    }),
    ["cilium", "proof"],
    /^cilium-config was changed by kubectl-edit at 2026-11-22T08:00:00.000Z: enable-ipsec true -> false$/,
  ],
  [
    "an option that is new",
    ({ config }) => ({
      config: config && { ...config, data: { ...config.data, "encrypt-node": "true" }, digest: "c2" },
    }),
    ["cilium", "proof"],
    /encrypt-node absent -> true$/,
  ],
  [
    "another option",
    ({ config }) => ({ config: config && { ...config, data: { ...config.data, debug: "true" }, digest: "c2" } }),
    ["cilium", "proof"],
    /nothing to do with encryption/,
  ],
  ["no cilium-config", () => ({ config: null }), ["cilium", "proof"], /cilium-config was deleted/],
  ["no DaemonSet", () => ({ daemonSet: null }), ["cilium", "proof"], /DaemonSet cilium was deleted/],
  [
    "agents with other options",
    ({ daemonSet }) => ({ daemonSet: daemonSet && { ...daemonSet, options: ["enable-ipsec=false"] } }),
    ["cilium", "proof"],
    /other options/,
  ],
  [
    "a CiliumNodeConfig",
    () => ({ nodeConfigs: [{ name: "off", digest: "o", by: somebody }] }),
    ["cilium", "proof"],
    /CiliumNodeConfigs.*off by kubectl-edit/,
  ],
  ["no Secret", () => ({ secret: null }), ["cilium", "proof"], /Secret cilium-ipsec-keys was deleted/],
  [
    "another key of the same id",
    () => ({ secret: { keyId: 3, keyBits: 128, digest: "k2", by: somebody } }),
    ["cilium", "proof"],
    /Secret cilium-ipsec-keys was changed by kubectl-edit.*another key/,
  ],
  [
    "keys of a node without a reboot",
    ({ ciliumNodes }) => ({ ciliumNodes: [at(ciliumNodes, 0), { ...at(ciliumNodes, 1), key: 0, by: somebody }] }),
    ["cilium", "proof"],
    /CiliumNode n2 were changed by kubectl-edit/,
  ],
  [
    "a reboot, with new keys",
    ({ ciliumNodes }) => ({ ciliumNodes: [at(ciliumNodes, 0), { ...at(ciliumNodes, 1), bootId: "b", key: 4 }] }),
    ["proof"],
    /^node n2 rebooted$/,
  ],
  ["a node that left", ({ ciliumNodes }) => ({ ciliumNodes: [at(ciliumNodes, 0)] }), ["proof"], /^node n2 left$/],
  [
    "a node that joined",
    ({ ciliumNodes }) => ({ ciliumNodes: [...ciliumNodes, { ...at(ciliumNodes, 0), name: "n3" }] }),
    ["proof"],
    /^node n3 joined$/,
  ],
  [
    "nothing, but a proof that may say otherwise now",
    ({ record }) => ({ record: record && { ...record, proveAgain: true } }),
    ["proof"],
    /proven once more$/,
  ],
  ["no guard", () => ({ guard: null }), ["guard", "proof"], /^the guard is gone$/],
  [
    "a guard with another rule",
    () => ({ guard: { generation: "g", forms: ["ipsec"], digest: "g2" } }),
    ["guard", "proof"],
    /the guard is another/,
  ],
  [
    "a parameter of admission that allows more",
    () => ({ admission: { allowed: "ipsec\nnone\n", by: somebody } }),
    ["admission", "proof"],
    /^what admission allows was changed by kubectl-edit at 2026-11-22T08:00:00.000Z: now ipsec, or none$/,
  ],
  [
    "no parameter of admission",
    () => ({ admission: null }),
    ["admission", "proof"],
    /^ConfigMap wirecloak-admission was deleted/,
  ],
  [
    "a policy and a binding that are gone",
    ({ policies }) => ({
      policies: (policies ?? []).filter(
        ({ kind, name }) => name !== "wirecloak-ipsec-keys" && !isBindingOf(kind, name),
      ),
    }),
    ["admission", "proof"],
    /^admission was taken away: ValidatingAdmissionPolicyBinding wirecloak-cilium-config, ValidatingAdmissionPolicy wirecloak-ipsec-keys, ValidatingAdmissionPolicyBinding wirecloak-ipsec-keys deleted/,
  ],
  [
    "a policy that says something else",
    ({ policies }) => ({
      policies: (policies ?? []).map((each, index) => (index === 3 ? { ...each, digest: "2", by: somebody } : each)),
    }),
    ["admission", "proof"],
    /^an admission policy was changed, last wirecloak-\S+ by kubectl-edit at 2026-11-22T08:00:00.000Z$/,
  ],
];

describe("a guard that a cloud carries", () => {
  const fault = (more: object): RuleFault => ({
    ...{ kind: "missing", rule: "wireguard-udp-51871-to-nodes", node: null, address: null },
    ...{ what: "security group rule R is missing", evidence: "rules of sg-1", fix: "pulumi refresh", ...more },
  });
  const told = (change: Partial<RulesSeen> = {}, more: object = {}): LiveGuard => ({
    ...{ generation: "sg-1", forms: ["ipsec"], digest: "d1" },
    rules: { by: "AWS", at: AT, open: [], faults: [], addresses: ["10.0.1.10"], ...change },
    ...more,
  });
  /** A cluster as an update has left it while its guard was told so. */
  const leftWith = (guard: LiveGuard): Live => {
    const live = { ...settled(), guard };
    return { ...live, record: recordOf(live, { repairs: NONE, proveAgain: false, run: "run-1", at: AT }) };
  };

  test("is as it was left whoever else it lets pass: an old mode's rules go after the record, and nodes come and go", () => {
    const live = leftWith(told({}, { forms: ["wireguard", "ipsec"] }));
    const later = told({ at: "2027-01-01T00:00:00.000Z", addresses: ["10.0.1.11"] }, { digest: "d2" });
    expect(drifted({ ...live, guard: later })).toEqual([]);
    expect(repairs({ ...live, guard: later })).toEqual(NONE);
  });

  test.each<[string, Partial<RulesSeen>, string[]]>([
    ["a rule is missing", { faults: [fault({})] }, ["security group rule R is missing; pulumi refresh"]],
    [
      "a node is in another group",
      { faults: [fault({ kind: "node", node: "n1", what: "is also in security group sg-2 (legacy)", fix: null })] },
      ["node n1 is also in security group sg-2 (legacy)"],
    ],
    ["everything passes", { open: ["sgr-1"] }, ["the guard's rules let everything pass between nodes"]],
  ])("is named where %s, and all is proven again, as long as that is so", (_, change, words) => {
    const off = { ...leftWith(told()), guard: told(change) };
    expect(drifted(off)).toEqual(words);
    expect(repairs(off)).toMatchObject({
      cilium: "",
      guard: expect.stringMatching(/.+/),
      proof: expect.stringMatching(/.+/),
    });
    const again = leftWith(told(change));
    expect(drifted({ ...again, guard: told() })).toEqual([expect.stringMatching(/in order by now/)]);
  });

  test("names the first of many nodes", () => {
    const faults = Array.from({ length: 9 }, (_, index) => fault({ kind: "node", node: `n${index}`, what: "is off" }));
    const words = drifted({ ...leftWith(told()), guard: told({ faults }) });
    expect(words).toHaveLength(6);
    expect(words.at(-1)).toBe("and 4 more nodes: is off");
  });

  test("that could not be asked is no drift: its proof says so", () => {
    expect(drifted({ ...leftWith(told()), guard: undefined })).toEqual([]);
  });
});

describe.each<[string, Repairs]>([
  ["after an ordinary update", NONE],
  ["after a repair", { cilium: "a", guard: "b", admission: "d", proof: "c" }],
])("%s", (_, before) => {
  test("what is as the record has it keeps the recorded tokens, and says nothing", () => {
    const live = settled(before);
    expect(repairs(live)).toEqual(before);
    expect(drifted({ ...live, takenAt: "2027-01-01T00:00:00.000Z" })).toEqual([]);
  });

  test.each(CASES)(
    "%s: a new token for what it takes and for the proof, the others as they were",
    (_, change, touched, words) => {
      const live = settled(before);
      const off = { ...live, ...change(live) };
      const now = repairs(off);
      for (const part of ["cilium", "guard", "admission", "proof"] as const) {
        if (touched.includes(part)) expect(now[part]).not.toBe(before[part]);
        else expect(now[part]).toBe(before[part]);
      }
      expect(now).toEqual(repairs({ ...off, takenAt: "2027-01-01T00:00:00.000Z" }));
      expect(drifted(off)).toEqual([expect.stringMatching(words)]);
    },
  );
});

test("break-glass is somebody's decision: nothing is repaired for it, so that an untouched stack shows no changes", () => {
  const live = settled();
  const until = { until: "2027-01-31", reason: "r", by: somebody };
  const object = { kind: "ConfigMap", namespace: "kube-system", name: "cilium-config" } as const;
  const broken: Live = { ...live, brokenGlass: [{ ...object, ...until }] };
  expect(repairs(broken)).toEqual(repairs(live));
  expect(drifted(broken)).toEqual([]);
});

test("the same damage after its repair is damage again", () => {
  const broken = (live: Live): Live => ({ ...live, secret: null });
  const first = repairs(broken(settled()));
  expect(repairs(broken(settled(first))).cilium).not.toBe(first.cilium);
});

test("policies that are gone are drift for a record of before they were on record, too", () => {
  const live = settled();
  const { policies: _, ...digests } =
    live.record?.digests ?? recordOf(live, { repairs: NONE, proveAgain: false, run: "", at: AT }).digests;
  const older = live.record && { ...live.record, digests };
  expect(drifted({ ...live, record: older })).toEqual([]);
  expect(drifted({ ...live, record: older, policies: [] })).toEqual([
    expect.stringMatching(/^admission was taken away/),
  ]);
  // Nor were there any without the setting.
  const off = older && { ...older, digests: { ...digests, admission: undefined } };
  expect(drifted({ ...live, record: off, policies: [] })).toEqual([]);
});

test("what could not be read is no drift", () => {
  const live = settled();
  expect(repairs({ ...live, secret: null, secretUnread: "forbidden", guard: undefined, admission: undefined })).toEqual(
    NONE,
  );
  expect(repairs({ ...live, policies: null })).toEqual(NONE);
  expect(missingPolicies({ ...live, policies: null })).toEqual([]);
  expect(isSecretMissing({ ...live, secret: null, secretUnread: "forbidden" })).toBe(false);
});

test("before the first update, and before there is a cluster, there is nothing to repair", () => {
  expect(repairs(undefined)).toEqual(NONE);
  expect(repairs({ ...settled(), config: null, daemonSet: null, record: null })).toEqual(NONE);
});

test("where no complete update is on record, guard and admission are set and the wire proven, and a missing key put back", () => {
  const live = { ...settled(), record: null };
  expect(repairs(live)).toMatchObject({
    cilium: "",
    guard: expect.stringMatching(/.+/),
    admission: expect.stringMatching(/.+/),
    proof: expect.stringMatching(/.+/),
  });
  expect(repairs({ ...live, secret: null }).cilium).not.toBe("");
});

test("a cluster that does not answer has all run again, and is named", () => {
  const found = { unreachable: "connection refused", at: AT };
  expect(Object.values(repairs(found))).not.toContain("");
  expect(drifted(found)).toEqual(["the cluster does not answer: connection refused"]);
});

test("of many nodes only the first are named", () => {
  const live = settled();
  const many = Array.from({ length: 1000 }, (_, index) => ({ ...at(live.ciliumNodes, 0), name: `m${index}` }));
  const words = drifted({ ...live, ciliumNodes: [...live.ciliumNodes, ...many] });
  expect(words).toHaveLength(6);
  expect(words.at(-1)).toBe("and 995 more joined");
});

const later = { run: "run-2", at: "2026-12-24T00:00:00.000Z", repairs: NONE, proveAgain: false };

describe("the record", () => {
  test("keeps the time of the key for as long as it is the same", () => {
    const live = settled();
    expect(live.record?.key).toEqual({ id: 3, digest: "k1", since: AT });
    const patched = { ...live, secret: live.secret && { ...live.secret, by: somebody } };
    expect(recordOf(patched, later).key?.since).toBe(AT);
    const rotated = { ...live, secret: { keyId: 4, keyBits: 128, digest: "k2", by: somebody } };
    expect(recordOf(rotated, later).key).toEqual({ id: 4, digest: "k2", since: somebody.time });
    expect(recordOf({ ...live, secret: null, secretUnread: "forbidden" }, later).key?.since).toBe(AT);
  });

  test("of a thousand nodes fits into a ConfigMap", () => {
    const live = settled();
    const many = Array.from({ length: 1000 }, (_, index) => ({
      ...at(live.ciliumNodes, 0),
      name: `worker-${index}.example.internal`,
    }));
    const text = JSON.stringify(recordOf({ ...live, ciliumNodes: many }, later));
    expect(text.length).toBeLessThan(200_000);
  });
});
