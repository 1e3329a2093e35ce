import { describeUnless } from "../skip.ts";
import { type AskedFor, PackStack, withoutPulumi } from "./packStack/packStack.ts";

jest.setTimeout(240_000);

const release = (values: object): AskedFor => ({
  type: "kubernetes:helm.sh/v3:Release",
  name: "cilium",
  props: { chart: "cilium", version: "1.20.2", name: "cilium", namespace: "kube-system", values },
});

const wireguard = { rollOutCiliumPods: true, encryption: { enabled: true, type: "wireguard" } };
const plain = { rollOutCiliumPods: true };
const namespace: AskedFor = { type: "kubernetes:core/v1:Namespace", name: "first", props: {} };

describeUnless(withoutPulumi, "rules under the real engine", () => {
  let stack: PackStack;
  beforeEach(() => {
    stack = new PackStack();
  });
  afterEach(() => stack.close());

  test("plaintext is refused in the preview, and in the update before it reaches the provider", () => {
    const preview = stack.preview([release(plain)]);
    expect(preview.output).toMatch(/\[mandatory\].*cilium-encryption-enabled/);
    expect(preview.code).not.toBe(0);
    const up = stack.up([release(plain)]);
    expect(up.output).toContain("encryption.enabled is not true");
    expect(up.code).not.toBe(0);
    expect(up.reached).toEqual([]);
    const encrypted = stack.up([release(wireguard)]);
    expect(encrypted.output).not.toContain("[mandatory]");
    expect(encrypted.code).toBe(0);
    expect(encrypted.reached).toMatchObject([{ name: "cilium", inputs: { values: wireguard } }]);
  });

  test("what is unknown is undecided in the preview, and decided in the update", () => {
    const later = (enabled: boolean) => [
      namespace,
      release({ rollOutCiliumPods: true, encryption: { enabled: { later: enabled }, type: "wireguard" } }),
    ];
    const preview = stack.preview(later(false));
    expect(preview.output).toMatch(/\[advisory\].*cilium-encryption-enabled/);
    expect(preview.output).toContain("can't run policy 'cilium-encryption-enabled'");
    expect(preview.code).toBe(0);
    const refused = stack.up(later(false));
    expect(refused.output).toContain("encryption.enabled is not true");
    expect(refused.code).not.toBe(0);
    expect(refused.reached.map(({ name }) => name)).toEqual(["first"]);
    const encrypted = stack.up(later(true));
    expect(encrypted.code).toBe(0);
    expect(encrypted.reached.map(({ name }) => name)).toEqual(["cilium"]);
  });

  test("remediation makes it deploy encrypted", () => {
    const { code, output, reached } = stack.up([release({ hubble: { enabled: false } })], {
      "cilium-encryption-enabled": "remediate",
      "cilium-rollout": "remediate",
    });
    expect(output).toMatch(/\[remediate\].*cilium-encryption-enabled/);
    expect(code).toBe(0);
    const values = { ...wireguard, hubble: { enabled: false } };
    expect(reached).toMatchObject([{ name: "cilium", inputs: { values } }]);
  });

  test("what a stack lacks is refused in the preview; in the update after the fact, and it says so", () => {
    const others = [{ type: "pulumi:providers:kubernetes", name: "second", props: { kubeconfig: "of another" } }];
    const preview = stack.preview([release(wireguard), ...others]);
    expect(preview.output).toMatch(/\[mandatory\].*cluster-encrypted/);
    expect(preview.output).toContain("Kubernetes provider second");
    expect(preview.code).not.toBe(0);
    const up = stack.up([release(wireguard), ...others]);
    expect(up.output).toContain("Pulumi asks this rule after an update's changes: see the preview");
    expect(up.code).not.toBe(0);
    expect(up.reached).toHaveLength(1);
  });

  test("an exemption lets a stack through until its day, and no other stack", () => {
    const exempt = (...of: { stack: string; until: string }[]) => {
      const exemptions = of.map((each) => ({ ...each, reason: "a lab" }));
      return { "cilium-encryption-enabled": { exemptions }, "cluster-encrypted": { exemptions } };
    };
    const others = [
      { stack: "test", until: "2020-01-01" },
      { stack: "other", until: "2099-01-01" },
    ];
    const ended = stack.preview([release(plain)], exempt(...others));
    expect(ended.output).toContain(
      "so traffic between nodes is not encrypted; an exemption for this ended on 2020-01-01.",
    );
    expect(ended.output).toMatch(/cluster-encrypted.*an exemption for this ended on 2020-01-01/s);
    expect(ended.code).not.toBe(0);
    const { code, reached } = stack.up([release(plain)], exempt({ stack: "test", until: "2099-01-01" }));
    expect(code).toBe(0);
    expect(reached).toHaveLength(1);
  });

  test("a config that does not fit the rules is refused", () => {
    const { code, output } = stack.preview([], { "cilium-encryption-enabled": { exemptions: "all" } });
    expect(output).toContain("cilium-encryption-enabled: exemptions");
    expect(code).not.toBe(0);
  });
});
