import fc from "fast-check";
import {
  allowedBy,
  allowedText,
  alternatives,
  PARAMETER,
  parameterManifest,
} from "../../../../components/encryption/admission/params.ts";
import { admissionPolicies } from "../../../../components/encryption/admission/policies.ts";
import { POLICIES } from "../../../../prover/live/admission.ts";
import { BREAK_GLASS } from "../../../../prover/live/brokenGlass.ts";
import { settingsOf } from "../config.ts";

const PLAINTEXT = { encryption: "none", allowPlaintext: { reason: "a test", until: "2099-01-01" } };
const NATIVE = { routing: "native", nativeCidr: "10.244.0.0/16" };

describe("what settings allow", () => {
  test.each<[string, Record<string, unknown>, string]>([
    ["WireGuard", {}, "wireguard"],
    ["IPsec", { encryption: "ipsec" }, "ipsec ipsec-key-file=/etc/ipsec/keys"],
    ["nothing", PLAINTEXT, "none"],
    [
      "node encryption, which more labels would narrow",
      { wireguard: { nodeEncryption: true } },
      "wireguard encrypt-node=true node-encryption-opt-out-labels=",
    ],
    [
      "node encryption that the mode has not",
      { encryption: "ipsec", wireguard: { nodeEncryption: true } },
      "ipsec ipsec-key-file=/etc/ipsec/keys",
    ],
    [
      "strict mode of both directions",
      { strict: true },
      "wireguard enable-encryption-strict-mode-egress=true enable-encryption-strict-mode-ingress=true encryption-strict-egress-cidr=10.244.0.0/16",
    ],
    [
      "strict mode that can do without remote nodes",
      { strict: true, encryption: "ipsec", cilium: NATIVE },
      "ipsec enable-encryption-strict-mode-egress=true encryption-strict-egress-cidr=10.244.0.0/16 ipsec-key-file=/etc/ipsec/keys encryption-strict-egress-allow-remote-node-identities=false",
    ],
    [
      "strict mode as older versions spell it",
      { strict: true, cilium: { version: "1.18.12" } },
      "wireguard enable-encryption-strict-mode=true encryption-strict-mode-cidr=10.244.0.0/16",
    ],
  ])("with %s", (_, config, line) => {
    expect(allowedBy(settingsOf(config))).toBe(line);
  });
});

describe("the parameter in a change", () => {
  const lines = fc.constantFrom("wireguard", "ipsec", "none", "wireguard encrypt-node=true");
  const texts = fc.array(lines).map((all) => all.map((line) => `${line}\n`).join(""));

  test("widened, allows all that it did and what is wanted, each once", () => {
    fc.assert(
      fc.property(lines, texts, (wanted, live) => {
        const now = alternatives(allowedText("widen", wanted, live));
        expect(new Set(now)).toEqual(new Set([...alternatives(live), wanted]));
        expect(new Set(now).size).toBe(now.length);
        // Once more, as after a run that was cut short, it is the same.
        expect(allowedText("widen", wanted, allowedText("widen", wanted, live))).toBe(
          allowedText("widen", wanted, live),
        );
      }),
    );
  });

  test("narrowed, allows what is wanted alone", () => {
    fc.assert(
      fc.property(lines, texts, (wanted, live) => expect(allowedText("narrow", wanted, live)).toBe(`${wanted}\n`)),
    );
  });

  test("without one before, allows what is wanted", () => {
    expect(allowedText("widen", "ipsec", undefined)).toBe("ipsec\n");
  });

  test("as a manifest", () => {
    expect(parameterManifest("cilium", "ipsec\n")).toEqual({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: PARAMETER, namespace: "cilium", labels: { "app.kubernetes.io/managed-by": "wirecloak" } },
      data: { allowed: "ipsec\n" },
    });
  });
});

// What they do is told by the API server: test/engine/admission.
describe("the policies", () => {
  const policies = admissionPolicies("kube-system");

  test("as manifests", () => {
    expect(policies).toMatchSnapshot();
  });

  test("look at one namespace, refuse where they fail, and write refusals into the audit log", () => {
    for (const { name, policy, binding } of admissionPolicies("network")) {
      expect(policy.failurePolicy).toBe("Fail");
      expect(policy.matchConstraints.namespaceSelector.matchLabels).toEqual({
        "kubernetes.io/metadata.name": "network",
      });
      expect(binding).toMatchObject({ policyName: name, validationActions: ["Deny", "Audit"] });
      if (policy.paramKind) {
        expect(binding.paramRef).toEqual({ name: PARAMETER, namespace: "network", parameterNotFoundAction: "Deny" });
      }
    }
    expect(policies.map(({ name }) => name)).toEqual(Object.values(POLICIES));
  });

  test("that have a parameter ask for their objects by name, or a missing one would stop every ConfigMap and Secret of the namespace", () => {
    const nameless = policies.filter(({ policy }) =>
      policy.matchConstraints.resourceRules.some(({ resourceNames }) => resourceNames === undefined),
    );
    expect(nameless.map(({ name, policy }) => [name, policy.paramKind === undefined])).toEqual([
      [POLICIES.nodeConfig, false],
      [POLICIES.collections, true],
    ]);
  });

  test("that let an exemption through say how in each refusal, and write it into the audit log", () => {
    const judging = policies.filter(({ policy }) => policy.variables?.some(({ name }) => name === "exempt"));
    expect(judging.map(({ name }) => name)).toEqual([
      POLICIES.config,
      POLICIES.keys,
      POLICIES.nodeConfig,
      POLICIES.agents,
    ]);
    for (const { policy } of judging) {
      const words = JSON.stringify(policy.validations);
      expect(words).toContain(BREAK_GLASS.until);
      expect(words).toContain(BREAK_GLASS.reason);
      expect(policy.auditAnnotations?.map(({ key }) => key)).toEqual(["break-glass"]);
    }
  });

  test("say nothing of a key", () => {
    const keys = policies.find(({ name }) => name === POLICIES.keys)?.policy;
    const said = [...(keys?.validations ?? []), ...(keys?.auditAnnotations ?? [])].map((each) => JSON.stringify(each));
    for (const words of said) expect(words).not.toMatch(/variables\.text|object\.data/);
  });
});
