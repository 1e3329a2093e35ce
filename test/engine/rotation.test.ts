import { describeUnless } from "../skip.ts";
import { EngineStack, healthyVerdict, WITHOUT_ADMISSION, withoutEngine } from "./engineStack.ts";

jest.setTimeout(300_000);

const SECRET = ["-n", "kube-system", "secret", "cilium-ipsec-keys"];
const OTHER_KEY = "f".repeat(40);

describeUnless(withoutEngine, "the rotation of an IPsec key", () => {
  let stack: EngineStack;
  beforeAll(() => {
    stack = new EngineStack(WITHOUT_ADMISSION);
    configure(15);
    const { code, output } = stack.up();
    if (code !== 0) throw new Error(output);
  });
  afterAll(() => stack.close());

  const configure = (keyId: number) =>
    stack.configure({ "wirecloak:encryption": "ipsec", "wirecloak:ipsec": { keyId } });

  /** Id and key of the live Secret. */
  function liveKey(): string[] {
    const { output } = stack.kubectl("get", ...SECRET, "-o", "jsonpath={.data.keys}");
    const [id = "", , hex = ""] = Buffer.from(output, "base64").toString().split(" ");
    return [id, hex];
  }

  const announced = () =>
    stack.kubectl("get", "ciliumnodes", "-o", "jsonpath={.items[*].spec.encryption.key}").output.split(" ");

  /** What a preview of this key id is refused with; the live Secret stays as it is. */
  function refused(keyId: number): string {
    configure(keyId);
    const before = liveKey();
    const { code, output } = stack.pulumi("preview", "--non-interactive");
    expect(code).not.toBe(0);
    expect(output).not.toMatch(/\n {4}at /);
    expect(liveKey()).toEqual(before);
    return output;
  }

  test("of a step by two is refused in an update, before anything changes", () => {
    configure(2);
    const before = liveKey();
    const { code, output } = stack.up();
    expect(code).not.toBe(0);
    expect(output).toMatch(/wirecloak:ipsec.keyId = 2\n.*holds key 15 .*steps by exactly one, and 1 follows 15/);
    expect(liveKey()).toEqual(before);
    expect(announced()).toEqual(["15", "15"]);
  });

  test("from 15 to 1 patches the Secret, every node takes it without a restart, and it is proven", () => {
    const agents = () => stack.kubectl("-n", "kube-system", "get", "pods", "-l", "k8s-app=cilium", "-o", "name").output;
    const uid = () => stack.kubectl("get", ...SECRET, "-o", "jsonpath={.metadata.uid}").output;
    const [before, pods, secret] = [liveKey(), agents(), uid()];
    configure(1);
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(liveKey()).toEqual(["1+", expect.not.stringMatching(before[1] ?? "")]);
    expect(announced()).toEqual(["1", "1"]);
    expect(uid()).toBe(secret);
    expect(agents()).toBe(pods);
    expect(stack.outputs()).toMatchObject({ keyId: 1, nextKeyId: 2, verdict: healthyVerdict });
  });

  test("a second time too early is refused, with the time when it is free", () => {
    expect(refused(2)).toMatch(/rotation to key 1 is in flight.*free at \d{4}-.*Z, in \d+ s/);
  });

  test("back is refused, with the way on", () => {
    expect(refused(15)).toMatch(/goes back: the Secret holds key 1 already.*rollback is key 2/);
  });

  test("from a key that was edited by hand is refused, and says by whom", () => {
    const keys = Buffer.from(`1+ rfc4106(gcm(aes)) ${OTHER_KEY} 128`).toString("base64");
    stack.kubectl("patch", ...SECRET, "--type=merge", "--patch", JSON.stringify({ data: { keys } }));
    expect(refused(2)).toMatch(/not the one that the last complete update left there; it was changed by kubectl/);
  });

  test("from a missing Secret is refused; an update with the old id puts the key back", async () => {
    await stack.deleteSecret();
    expect(refused(2)).toMatch(/Secret cilium-ipsec-keys is missing, while the agents use key 1/);
    configure(1);
    const { code, output } = stack.up();
    expect(output).not.toContain("error:");
    expect(code).toBe(0);
    expect(liveKey()).toEqual(["1+", expect.not.stringMatching(OTHER_KEY)]);
    expect(stack.outputs()).toMatchObject({ keyId: 1, verdict: healthyVerdict });
  });
});
