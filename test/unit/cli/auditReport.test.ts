import { type AuditReport, audit } from "../../../cli/audit/report.ts";
import { auditText } from "../../../cli/audit/text.ts";
import type { PackConfig } from "../../../policies/judge.ts";
import { type Resource, UnreadError } from "../../../policies/resource.ts";
import type { Rule } from "../../../policies/rule.ts";

const today = new Date("2026-11-21T12:00:00Z");

const described = {
  description: "",
  severity: "high",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8" }],
  remediation: ["Set encryption.enabled: true."],
  url: "https://example.com/",
} as const;

const encrypted: Rule = {
  ...described,
  name: "encrypted",
  title: "Traffic is encrypted",
  level: "mandatory",
  check: (piece) =>
    piece.kind === "cilium" && piece.options.get("enable-wireguard") !== "true" ? [`${piece.what} is plain`] : [],
};

const keys: Rule = {
  ...described,
  name: "keys",
  title: "Keys are keys",
  level: "advisory",
  check: (piece) => (piece.kind === "keys" && piece.line() === undefined ? [`${piece.what} has none`] : []),
};

const RULES = [encrypted, keys];

const config = (data: object, urn = "ConfigMap kube-system/cilium-config"): Resource => ({
  ...{ type: "kubernetes:core/v1:ConfigMap", urn, name: "cilium-config" },
  props: { metadata: { name: "cilium-config" }, data },
});

const wireguard = config({ "enable-wireguard": "true" });
const plain = config({ "enable-wireguard": "false" });

/** An object with a part that cannot be read. */
function unreadable<T extends object>(object: T, name: string): T {
  return Object.defineProperty({ ...object }, name, {
    enumerable: true,
    get: () => {
      throw new UnreadError("it is encrypted");
    },
  });
}

const unread = config(unreadable({}, "enable-wireguard"));

const secret: Resource = {
  ...{ type: "kubernetes:core/v1:Secret", urn: "Secret cilium-ipsec-keys", name: "cilium-ipsec-keys" },
  props: {},
};

/** Of some nodes' options alone. */
const override: Resource = {
  ...{ type: "kubernetes:cilium.io/v2:CiliumNodeConfig", urn: "CiliumNodeConfig kube-system/mtu", name: "mtu" },
  props: { metadata: { name: "mtu" }, spec: { defaults: { mtu: "1400" } } },
};

const encryptedSecret: Resource = { ...secret, props: unreadable({}, "stringData") };

function report(resources: Resource[], pack: PackConfig = {}, refused: string[] = []): AuditReport {
  return audit({ source: { kind: "manifests", of: "rendered.yaml" }, resources, unread: refused }, RULES, pack, {
    today,
  });
}

test.each<[string, AuditReport["verdict"], AuditReport]>([
  ["what is encrypted", "holds", report([wireguard])],
  ["what is plain", "broken", report([plain])],
  ["one plain among others", "broken", report([wireguard, plain])],
  ["plain where only a warning is wanted", "holds", report([plain], { encrypted: "advisory" })],
  ["plain where nobody asks", "holds", report([plain], { all: "disabled" })],
  ["a warning", "holds", report([wireguard, secret])],
  ["a warning that was made mandatory", "broken", report([wireguard, secret], { keys: "mandatory" })],
  ["a warning to be mended", "broken", report([wireguard, secret], { keys: { enforcementLevel: "remediate" } })],
  ["what cannot be read", "undecided", report([unread])],
  ["what cannot be read beside what is plain", "broken", report([unread, plain])],
  ["what only a warning would read", "holds", report([wireguard, encryptedSecret])],
  ["a part that was refused", "undecided", report([wireguard], {}, ["daemonsets: 403"])],
  ["nothing at all", "nothing found", report([])],
  ["nothing of Cilium's configuration", "nothing found", report([secret])],
  ["an override that says nothing of encryption", "nothing found", report([override], { all: "disabled" })],
  ["an override beside what is encrypted", "holds", report([wireguard, override], { encrypted: "advisory" })],
])("%s: %s", (_, verdict, seen) => {
  expect(seen.verdict).toBe(verdict);
  expect(auditText(seen)).toContain(`\nverdict: ${verdict === "holds" ? "all mandatory rules hold" : verdict}`);
});

test("each rule is in the report, whatever came of it, and counted once", () => {
  const seen = report([plain, unread, encryptedSecret]);
  expect(seen.rules.map(({ name, level, breaches }) => [name, level, breaches])).toEqual([
    [
      "encrypted",
      "mandatory",
      [
        { message: "ConfigMap cilium-config is plain", where: "ConfigMap kube-system/cilium-config", undecided: false },
        { message: "it is encrypted", where: "ConfigMap kube-system/cilium-config", undecided: true },
      ],
    ],
    ["keys", "advisory", [{ message: "it is encrypted", where: "Secret cilium-ipsec-keys", undecided: true }]],
  ]);
  expect(seen.counts).toEqual({ rules: 2, hold: 0, broken: 1, undecided: 1, disabled: 0 });
});

test("a cluster whose cloud encrypts is not one without anything", () => {
  const gke = (props: object): Resource => ({
    ...{ type: "gcp:container/cluster:Cluster", urn: "urn:gke", name: "gke" },
    props: props as Resource["props"],
  });
  const on = { inTransitEncryptionConfig: "IN_TRANSIT_ENCRYPTION_INTER_NODE_TRANSPARENT" };
  expect(report([gke(on)]).verdict).toBe("holds");
  expect(report([gke({})]).verdict).toBe("nothing found");
});

test("what is exempt is told, and does not count", () => {
  const urn = "urn:pulumi:prod::p::kubernetes:core/v1:ConfigMap::cilium-config";
  const exemptions = [{ stack: "prod", reason: "a lab", until: "2026-12-01" }];
  const seen = report([config({}, urn)], { encrypted: { exemptions } });
  expect(seen).toMatchObject({ verdict: "holds", counts: { hold: 2 } });
  expect(auditText(seen)).toContain(`- encrypted: exempt by the config\n└─ ConfigMap cilium-config is plain [${urn}]`);
});

test("what was exempt until some day is broken, and says when that was", () => {
  const urn = "urn:pulumi:prod::p::kubernetes:core/v1:ConfigMap::cilium-config";
  const ended = (...days: string[]) => {
    const exemptions = days.map((until) => ({ stack: "prod", reason: "a lab", until }));
    return report([config({}, urn)], { encrypted: { exemptions } });
  };
  const seen = ended("2026-11-20", "2026-10-01");
  expect(seen).toMatchObject({ verdict: "broken", rules: [{ exempt: [] }, {}] });
  expect(auditText(seen)).toContain("ConfigMap cilium-config is plain; an exemption for this ended on 2026-11-20 [urn");
  // Another one goes on.
  expect(ended("2026-11-20", "2026-12-01").verdict).toBe("holds");
  // One that names no day never was one.
  expect(auditText(ended("never"))).not.toContain("exemption");
});

test("the text names what was read, what is wrong, where, what it supports and what mends it", () => {
  expect(auditText(report([plain, encryptedSecret, unread], {}, ["daemonsets: 403"]))).toMatchSnapshot();
});
