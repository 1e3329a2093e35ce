import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { printedValues } from "../../../cli/values.ts";
import { UserError } from "../../../components/userError.ts";

const TODAY = "2026-11-21";
const values = (flags: Record<string, string | boolean>) => printedValues(flags, TODAY).values;
const notices = (flags: Record<string, string | boolean>) =>
  printedValues(flags, TODAY).warnings.map((warning) => warning.key);
const problems = (flags: Record<string, string | boolean>) => {
  try {
    values(flags);
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "wirecloak-values-"));
});
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test("flags become values", () => {
  const flags = {
    cilium: "1.19.6",
    encryption: "wireguard",
    nodeEncryption: true,
    strict: true,
    routing: "native",
    nativeCidr: "10.244.0.0/16",
  };
  expect(values(flags)).toMatchObject({
    encryption: {
      enabled: true,
      type: "wireguard",
      nodeEncryption: true,
      strictMode: { egress: { enabled: true, cidr: "10.244.0.0/16" } },
    },
    routingMode: "native",
    ipv4NativeRoutingCIDR: "10.244.0.0/16",
  });
});

test("the API server and the boot id file come by flags too", () => {
  const flags = { encryption: "ipsec", apiServer: "[fd00::1]:6443", bootIdFile: "/run/boot_id" };
  expect(values(flags)).toMatchObject({
    k8sServiceHost: "fd00::1",
    k8sServicePort: 6443,
    extraConfig: { "boot-id-file": "/run/boot_id" },
  });
});

test("a stack's config file is where they begin, and flags win over it", () => {
  const configFile = file(
    "Pulumi.x.yaml",
    "config:\n  wirecloak:encryption: ipsec\n  wirecloak:cilium: { version: 1.19.6, hubble: false }\n",
  );
  expect(values({ configFile })).toMatchObject({ encryption: { type: "ipsec" }, hubble: { enabled: false } });
  expect(values({ configFile, encryption: "wireguard" })).toMatchObject({
    encryption: { type: "wireguard" },
    hubble: { enabled: false },
  });
});

test("values from a file lie under ours", () => {
  expect(values({ values: file("more.yaml", "prometheus: { enabled: true }") })).toMatchObject({
    prometheus: { enabled: true },
    rollOutCiliumPods: true,
  });
});

describe("a wrong combination is the same problem that a stack would have, in the words of the flags", () => {
  test.each<[string, Record<string, string | boolean>, string, string | undefined]>([
    ["an unknown mode", { encryption: "wiregard" }, "--encryption", "--encryption wireguard"],
    ["key id 3x", { keyId: "3x" }, "--key-id", "--key-id 3"],
    [
      "strict mode with IPsec on 1.17",
      { cilium: "1.17.18", encryption: "ipsec", strict: true },
      "--strict",
      "--no-strict",
    ],
    [
      "user-space WireGuard on 1.20",
      { userspaceFallback: true },
      "--userspace-fallback",
      "leave out --userspace-fallback",
    ],
    [
      "node encryption with IPsec",
      { encryption: "ipsec", nodeEncryption: true },
      "--node-encryption",
      "leave out --node-encryption",
    ],
    ["native routing without its range", { routing: "native" }, "--native-cidr", "--native-cidr 10.244.0.0/16"],
    ["no address", { apiServer: "10.0.0.1" }, "--api-server", "--api-server 10.0.0.1:6443"],
  ])("%s", (_, flags, key, fix) => {
    expect(problems(flags)).toEqual([expect.objectContaining({ key, fix })]);
  });

  test("in a values file, the file and the key are named", () => {
    const flags = { values: file("bad.yaml", "encryption: { enabled: false }") };
    expect(problems(flags)).toEqual([expect.objectContaining({ key: `--values ${flags.values}: encryption.enabled` })]);
  });

  test("what the config file says stays in its words", () => {
    const configFile = file("Pulumi.y.yaml", "config: { 'wirecloak:ipsec': { keyId: 16 } }");
    expect(problems({ configFile })).toEqual([expect.objectContaining({ key: "wirecloak:ipsec.keyId" })]);
  });

  test.each(["[a]", "a: [", "text"])("%p is no file of values", (text) => {
    expect(problems({ values: file("no.yaml", text) })).toEqual([expect.objectContaining({ key: "--values" })]);
  });
});

describe("what whoever installs the values should know is told beside them", () => {
  const complete = { apiServer: "10.0.0.1:6443" };
  test("nothing, where nothing is missing", () => {
    expect(notices(complete)).toEqual([]);
  });
  test.each<[string, Record<string, string | boolean>, string[]]>([
    [
      "plaintext is printed without a reason, but not without a word",
      { ...complete, encryption: "none" },
      ["--encryption none"],
    ],
    ["agents without kube-proxy need the API server", {}, ["--api-server"]],
    ["strict mode protects the range that it is told", { ...complete, strict: true }, ["--pod-cidr"]],
    ["native routing needs routes", { ...complete, routing: "native", nativeCidr: "10.0.0.0/8" }, ["--routing native"]],
  ])("%s", (_, flags, keys) => {
    expect(notices(flags)).toEqual(keys);
  });
});

describe("the command", () => {
  const run = (...args: string[]) =>
    spawnSync(join(__dirname, "../../../bin/wirecloak"), ["values", ...args], { encoding: "utf8" });

  test("prints YAML on stdout and warnings on stderr", () => {
    const { stdout, stderr, status } = run("--cilium", "1.20.2", "--encryption", "ipsec", "--no-hubble");
    expect(parse(stdout)).toMatchObject({ encryption: { type: "ipsec" }, hubble: { enabled: false } });
    expect(stderr).toContain("--api-server");
    expect(status).toBe(0);
  });

  test("prints JSON with --json", () => {
    expect(JSON.parse(run("--json").stdout)).toMatchObject({ encryption: { type: "wireguard" } });
  });

  test("ends with 2 and prints no values where settings are wrong", () => {
    const { stdout, stderr, status } = run("--encryption", "ipsec", "--key-id", "16");
    expect({ stdout, status }).toEqual({ stdout: "", status: 2 });
    expect(stderr).toContain("--key-id = 16");
  });
});
