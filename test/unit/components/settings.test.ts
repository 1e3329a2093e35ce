import fc from "fast-check";
import { UserError } from "../../../components/userError.ts";
import { load, problemsOf, settingsOf, TODAY } from "./config.ts";

describe("settings that are taken", () => {
  test("with nothing set, a kind cluster of three workers with WireGuard", () => {
    expect(settingsOf()).toMatchSnapshot();
  });

  test("what only one mode knows stays while another mode is on, so that a switch is one line", () => {
    const both = { wireguard: { persistentKeepalive: "25s" }, ipsec: { keyId: 7, keyBits: 256 } };
    expect(settingsOf({ ...both, encryption: "ipsec" })).toEqual({
      ...settingsOf({ ...both, encryption: "wireguard" }),
      encryption: "ipsec",
    });
  });

  test("top-level switches come as words", () => {
    expect(settingsOf({ strict: "true" }).strict).toBe(true);
    expect(settingsOf({ strict: "false" }).strict).toBe(false);
  });

  test("other namespaces are left alone, and a key without one is the project's own", () => {
    expect(settingsOf({ "pulumi:disable-default-providers": "[]", "kubernetes:context": "x" })).toEqual(settingsOf());
    expect(problemsOf({ "wirecloak:encryption": "tls" })).toHaveLength(1);
  });

  test.each([
    ["./charts", "/project/charts"],
    ["../charts", "/charts"],
    ["~/charts", "/home/me/charts"],
    ["/opt/cilium.tgz", "/opt/cilium.tgz"],
    ["https://helm.cilium.io", "https://helm.cilium.io"],
    ["http://127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["oci://quay.io/cilium/charts/cilium", "oci://quay.io/cilium/charts/cilium"],
  ])("chart %s is %s", (chart, expected) => {
    expect(settingsOf({ cilium: { chart } }).cilium.chart).toBe(expected);
  });

  test("a kubeconfig path is meant from the project's folder", () => {
    expect(settingsOf({ cluster: { provider: "existing", kubeconfig: "k/config" } }).cluster).toMatchObject({
      kubeconfig: "/project/k/config",
    });
  });

  test("plaintext with a reason, until and including the day given", () => {
    expect(problemsOf({ encryption: "none", allowPlaintext: { reason: "throughput", until: TODAY } })).toEqual([]);
  });

  test("a day that YAML read as a moment is that day", () => {
    const { allowPlaintext } = settingsOf({ allowPlaintext: { reason: "x", until: "2027-01-31T00:00:00Z" } });
    expect(allowPlaintext?.until).toBe("2027-01-31");
  });
});

/** Config, the key that is refused, and words of the message. One row a rule; `fix` is checked for all of them below. */
const REFUSED: [string, Record<string, unknown>, string, RegExp][] = [
  ["an unknown mode", { encryption: "wiregard" }, "encryption", /Did you mean wireguard\?/],
  [
    "a mode in capitals, which the chart would render as no encryption at all",
    { encryption: "WireGuard" },
    "encryption",
    /not one of/,
  ],
  ["a misspelt top-level key", { encrypton: "ipsec" }, "encrypton", /Did you mean wirecloak:encryption\?/],
  ["a misspelt nested key", { ipsec: { keyid: 4 } }, "ipsec.keyid", /Did you mean wirecloak:ipsec.keyId\?/],
  ["a key in the wrong place", { keyId: "4" }, "keyId", /Did you mean wirecloak:ipsec.keyId\?/],
  ["a nested key set without --path", { "ipsec.keyId": "4" }, "ipsec.keyId", /--path/],
  ["a key unlike any other", { proof: { banana: 1 } }, "proof.banana", /there are enforce/],
  ["a proof of no pair", { proof: { pairs: 0 } }, "proof.pairs", /out of range/],
  ["a proof that looks for no time", { proof: { seconds: 0 } }, "proof.seconds", /out of range/],
  ["a probe image that is none", { proof: { image: "a b" } }, "proof.image", /no image name/],
  [
    "node encryption with IPsec",
    { encryption: "ipsec", ipsec: { nodeEncryption: true } },
    "ipsec.nodeEncryption",
    /WireGuard mode only/,
  ],
  ["node encryption at the top", { nodeEncryption: "true" }, "nodeEncryption", /wirecloak:wireguard.nodeEncryption/],
  ["a key given in config", { ipsec: { psk: "00" } }, "ipsec.psk", /makes the IPsec key itself/],
  ["an object given as text", { cluster: "dev" }, "cluster", /is an object/],
  ["an object given as a list", { cilium: [] }, "cilium", /is an object/],
  [
    "a version that YAML read as a number",
    { cilium: { version: 1.2 } },
    "cilium.version",
    /1\.20 becomes 1\.2.*Quote it/,
  ],
  ["a version without its patch", { cilium: { version: "1.20" } }, "cilium.version", /not a full version/],
  ["a version with a v", { cilium: { version: "v1.20.2" } }, "cilium.version", /with a v/],
  ["a version older than the table", { cilium: { version: "1.15.9" } }, "cilium.version", /1\.16 to 1\.20/],
  ["a version newer than the table", { cilium: { version: "1.21.0" } }, "cilium.version", /1\.16 to 1\.20/],
  [
    "a version that begins like one of the table",
    { cilium: { version: "1.160.0" } },
    "cilium.version",
    /1\.16 to 1\.20/,
  ],
  ["a switch given as text", { cilium: { hubble: "false" } }, "cilium.hubble", /text "false", not the switch/],
  ["a top-level switch in other words", { strict: "yes" }, "strict", /not a switch/],
  [
    "a switch given as a number",
    { wireguard: { nodeEncryption: 1 } },
    "wireguard.nodeEncryption",
    /a number, not a switch/,
  ],
  ["key id 0", { ipsec: { keyId: 0 } }, "ipsec.keyId", /out of range/],
  ["key id 16", { ipsec: { keyId: 16 } }, "ipsec.keyId", /out of range/],
  ["key id 3x", { ipsec: { keyId: "3x" } }, "ipsec.keyId", /text, not a number/],
  ["half a key id", { ipsec: { keyId: 3.5 } }, "ipsec.keyId", /not a whole number/],
  ["an AES key size that is none", { ipsec: { keyBits: 192 } }, "ipsec.keyBits", /not one of/],
  ["an AES key size as text", { ipsec: { keyBits: "256" } }, "ipsec.keyBits", /Remove the quotes/],
  [
    "a duration without a unit",
    { ipsec: { keyRotationDuration: "300" } },
    "ipsec.keyRotationDuration",
    /not a duration/,
  ],
  [
    "a rotation that keeps no old key",
    { ipsec: { keyRotationDuration: "0s" } },
    "ipsec.keyRotationDuration",
    /old key/,
  ],
  [
    "half a second of keepalive",
    { wireguard: { persistentKeepalive: "500ms" } },
    "wireguard.persistentKeepalive",
    /whole seconds/,
  ],
  ["a number of keepalive", { wireguard: { persistentKeepalive: 0 } }, "wireguard.persistentKeepalive", /not text/],
  [
    "a device name with a space",
    { ipsec: { interface: "eth 0" }, cilium: { version: "1.19.6" } },
    "ipsec.interface",
    /no device name/,
  ],
  [
    "user-space WireGuard on 1.17",
    { wireguard: { userspaceFallback: true }, cilium: { version: "1.17.18" } },
    "wireguard.userspaceFallback",
    /1\.17\.18/,
  ],
  [
    "encrypted overlay on 1.18",
    { ipsec: { encryptedOverlay: true }, cilium: { version: "1.18.12" } },
    "ipsec.encryptedOverlay",
    /always encrypted/,
  ],
  [
    "encrypted overlay without a tunnel",
    {
      encryption: "ipsec",
      ipsec: { encryptedOverlay: true },
      cilium: { version: "1.17.18", routing: "native", nativeCidr: "10.244.0.0/16" },
    },
    "ipsec.encryptedOverlay",
    /no overlay/,
  ],
  ["an IPsec device on 1.20", { ipsec: { interface: "eth0" } }, "ipsec.interface", /ignores this setting/],
  [
    "strict mode with IPsec on 1.16",
    { encryption: "ipsec", strict: "true", cilium: { version: "1.16.19" } },
    "strict",
    /ignores strict mode with IPsec/,
  ],
  [
    "strict mode with IPsec on 1.18",
    { encryption: "ipsec", strict: "true", cilium: { version: "1.18.12" } },
    "strict",
    /ignores strict mode with IPsec/,
  ],
  [
    "strict mode without encryption",
    { encryption: "none", strict: "true", allowPlaintext: { reason: "x", until: "2027-01-01" } },
    "strict",
    /encryption none/,
  ],
  [
    "strict mode without the pods' range",
    { strict: "true", cluster: { provider: "existing", kubeconfig: "k" } },
    "cluster.podCidr",
    /Strict mode/,
  ],
  ["plaintext without a reason", { encryption: "none" }, "encryption", /Say why/],
  [
    "plaintext past its day",
    { encryption: "none", allowPlaintext: { reason: "x", until: "2026-11-20" } },
    "allowPlaintext.until",
    /today is 2026-11-21/,
  ],
  [
    "plaintext until no day",
    { encryption: "none", allowPlaintext: { reason: "x", until: "2027-02-30" } },
    "allowPlaintext.until",
    /not a day/,
  ],
  [
    "plaintext for no reason",
    { encryption: "none", allowPlaintext: { reason: " ", until: "2027-01-01" } },
    "allowPlaintext.reason",
    /empty/,
  ],
  [
    "a tunnel that no rehearsal simulates",
    { cluster: { provider: "rehearsal" }, cilium: { tunnel: "geneve" } },
    "cilium.tunnel",
    /VXLAN/,
  ],
  ["native routing without its range", { cilium: { routing: "native" } }, "cilium.nativeCidr", /needs the range/],
  [
    "a native range without native routing",
    { cilium: { nativeCidr: "10.244.0.0/16" } },
    "cilium.nativeCidr",
    /would do nothing/,
  ],
  [
    "a tunnel protocol in native routing",
    { cilium: { routing: "native", nativeCidr: "10.244.0.0/16", tunnel: "geneve" } },
    "cilium.tunnel",
    /no tunnel/,
  ],
  [
    "a native range that leaves pods out",
    { cilium: { routing: "native", nativeCidr: "10.0.0.0/16" } },
    "cilium.nativeCidr",
    /masqueraded/,
  ],
  [
    "pods and services on the same addresses",
    { cluster: { podCidr: "10.96.0.0/16" } },
    "cluster.serviceCidr",
    /share addresses/,
  ],
  ["a range that is none", { cluster: { podCidr: "10.244.0.0" } }, "cluster.podCidr", /not an address range/],
  [
    "a range from the middle",
    { cluster: { podCidr: "10.244.3.0/16" } },
    "cluster.podCidr",
    /Did you mean 10\.244\.0\.0\/16/,
  ],
  ["an IPv6 range", { cluster: { podCidr: "fd00::/48" } }, "cluster.podCidr", /IPv6/],
  ["loopback for pods", { cluster: { podCidr: "127.0.0.0/16" } }, "cluster.podCidr", /cannot use/],
  [
    "a services' range that the API server refuses",
    { cluster: { serviceCidr: "172.0.0.0/8" } },
    "cluster.serviceCidr",
    /does not take/,
  ],
  [
    "too few pod addresses for the nodes",
    { cluster: { podCidr: "10.244.0.0/23", workers: 2 } },
    "cluster.podCidr",
    /no room for 3 nodes/,
  ],
  [
    "cluster-pool without a range",
    { cilium: { ipam: "cluster-pool" }, cluster: { provider: "existing", kubeconfig: "k" } },
    "cluster.podCidr",
    /cluster-pool/,
  ],
  ["a cluster name with bad characters", { cluster: { name: "Dev_1" } }, "cluster.name", /no cluster name/],
  ["a cluster name that ends with a dash", { cluster: { name: "dev-" } }, "cluster.name", /no cluster name/],
  ["a cluster name longer than Cilium takes", { cluster: { name: "a".repeat(33) } }, "cluster.name", /32 characters/],
  ["a negative number of workers", { cluster: { workers: -1 } }, "cluster.workers", /out of range/],
  ["an unknown provider", { cluster: { provider: "minikube" } }, "cluster.provider", /not one of/],
  [
    "workers of an existing cluster",
    { cluster: { provider: "existing", kubeconfig: "k", workers: 2 } },
    "cluster.workers",
    /has the nodes it has/,
  ],
  ["a kubeconfig for kind", { cluster: { kubeconfig: "k" } }, "cluster.kubeconfig", /for provider existing/],
  [
    "an image for a rehearsal",
    { cluster: { provider: "rehearsal", image: "x" } },
    "cluster.image",
    /for provider kind/,
  ],
  ["an existing cluster without kubeconfig", { cluster: { provider: "existing" } }, "cluster.kubeconfig", /missing/],
  ["an empty kubeconfig path", { cluster: { provider: "existing", kubeconfig: " " } }, "cluster.kubeconfig", /empty/],
  ["an image name with a space", { cluster: { image: "kindest/node: v1" } }, "cluster.image", /no image name/],
  ["a key without a value", { cluster: { name: null } }, "cluster.name", /no value/],
  ["a Helm repository's nickname", { cilium: { chart: "cilium/cilium" } }, "cilium.chart", /no place/],
  ["a chart over plain HTTP", { cilium: { chart: "http://charts.example.com" } }, "cilium.chart", /without TLS/],
  [
    "a chart with its version",
    { cilium: { chart: "oci://quay.io/cilium/charts/cilium:1.20.2" } },
    "cilium.chart",
    /names a version/,
  ],
  ["a namespace that is no name", { cilium: { namespace: "Kube_System" } }, "cilium.namespace", /no namespace/],
  [
    "a namespace of config that is nearly ours",
    { "wirecloack:encryption": "ipsec" },
    "wirecloack:encryption",
    /Nothing reads this key/,
  ],
];

describe("settings that are refused", () => {
  test.each(REFUSED)("%s", (_, config, path, message) => {
    const problems = problemsOf(config);
    expect(problems.map((problem) => problem.key)).toEqual([path.includes(":") ? path : `wirecloak:${path}`]);
    expect(problems[0]?.message).toMatch(message);
    expect(problems[0]?.fix).toMatch(/^pulumi config (set|rm) /);
  });

  test("all problems come at once, those of single settings and those between settings", () => {
    const keys = problemsOf({
      encryption: "ipsec",
      strict: "true",
      ipsec: { keyId: 16, keyid: 3 },
      cilium: { version: "1.17.18", hubble: "false", routing: "native", values: { encryption: { enabled: false } } },
      cluster: { podCidr: "10.96.0.0/16", name: "Dev" },
    }).map((problem) => problem.key);
    expect(keys.sort()).toEqual(
      [
        "wirecloak:ipsec.keyId",
        "wirecloak:ipsec.keyid",
        "wirecloak:strict",
        "wirecloak:cilium.hubble",
        "wirecloak:cilium.nativeCidr",
        "wirecloak:cilium.values.encryption.enabled",
        "wirecloak:cluster.name",
        "wirecloak:cluster.serviceCidr",
      ].sort(),
    );
  });

  test("no second problem is made up from a setting that was refused", () => {
    const keys = problemsOf({ encryption: "ipsek", strict: "true", cilium: { version: 1.17 } }).map(
      (problem) => problem.key,
    );
    expect(keys).toEqual(["wirecloak:encryption", "wirecloak:cilium.version"]);
  });

  test("the message names key, value, what is allowed and the command", () => {
    expect(() => load({ ipsec: { keyId: 16 } })).toThrow(
      /wirecloak:ipsec\.keyId = 16\n.*out of range\.\n +allowed: .*1 to 15\n +fix: +pulumi config set --path wirecloak:ipsec\.keyId 3/,
    );
  });

  test.each([
    { ipsec: { psk: "hunter2" } },
    { ipsec: { key: { hex: "hunter2" } } },
    { cilium: { chart: "https://me:hunter2@charts.example.com" } },
    { cilium: { values: { extraEnv: [{ name: "CILIUM_ENABLE_IPSEC", value: "hunter2" }] } } },
    { password: "hunter2" },
  ])("no secret is printed: %j", (config) => {
    expect(() => load(config)).toThrow(UserError);
    expect(() => load(config)).not.toThrow(/hunter2/);
  });

  test("a setting kept as a Pulumi secret is refused, and not printed", () => {
    const [problem, ...others] = problemsOf({ ipsec: { keyId: 4 } }, ["wirecloak:ipsec"]);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ key: "wirecloak:ipsec", message: expect.stringContaining("kept as a secret") });
    expect(problem).not.toHaveProperty("value");
  });

  test("whatever config says, the answer is settings or a UserError with a key for each problem", () => {
    const names = fc.constantFrom(
      "encryption",
      "wireguard",
      "ipsec",
      "strict",
      "allowPlaintext",
      "cluster",
      "cilium",
      "proof",
      "ipsec.keyId",
      "x",
    );
    const value = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom("true", "ipsec", '{"provider":"existing"}', '{"values":{"__proto__":{"encryption":1}}}'),
    );
    fc.assert(
      fc.property(fc.dictionary(names, value), (config) => {
        for (const problem of problemsOf(config)) expect(problem.key).toContain(":");
      }),
    );
  });
});

describe("settings that are taken with a warning", () => {
  const keysOf = (config: Record<string, unknown>) => load(config).warnings.map((warning) => warning.key);

  test("one node: nothing crosses between nodes, and the verdict says so", () => {
    const [warning] = load({ cluster: { workers: 0 } }).warnings;
    expect(warning?.message).toMatch(/not proven/);
  });

  test.each(["ipsec", "none"])("node encryption kept while the mode is %s", (encryption) => {
    const config = {
      encryption,
      wireguard: { nodeEncryption: true },
      allowPlaintext: { reason: "x", until: "2027-01-01" },
    };
    expect(keysOf(config)).toEqual(["wirecloak:wireguard.nodeEncryption"]);
  });

  test.each([
    ["strict mode beside IPv6", { strict: "true", cilium: { values: { ipv6: { enabled: true } } } }, "ipv6.enabled"],
    [
      "XDP with WireGuard",
      { cilium: { values: { loadBalancer: { acceleration: "native" } } } },
      "loadBalancer.acceleration",
    ],
    [
      "direct server return with WireGuard",
      { cilium: { values: { loadBalancer: { mode: "dsr" } } } },
      "loadBalancer.mode",
    ],
  ])("%s", (_, config, path) => {
    expect(keysOf(config)).toEqual([`wirecloak:cilium.values.${path}`]);
  });

  test("the committed defaults give none", () => {
    expect(keysOf({})).toEqual([]);
  });
});
