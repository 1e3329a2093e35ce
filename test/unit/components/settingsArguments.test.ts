import * as pulumi from "@pulumi/pulumi";
import { asArgument } from "../../../components/argumentProblems.ts";
import { settingsOfArguments } from "../../../components/settingsArguments.ts";
import { FIELDS, removeCommand, setCommand, settingKey } from "../../../components/settingsFields.ts";
import { type Problem, UserError } from "../../../components/userError.ts";
import { settingsOf, TODAY } from "./config.ts";

const place = { projectRoot: "/project", today: TODAY, home: "/home/me" };

const settingsFor = (args: object) => settingsOfArguments("prod", args, place).settings;

function problemsFor(args: object): Problem[] {
  try {
    settingsFor(args);
    return [];
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}

describe("arguments as settings", () => {
  test.each<[string, object]>([
    ["nothing", {}],
    ["a mode and its part", { encryption: "ipsec", ipsec: { keyId: 7, keyBits: 256 } }],
    ["switches", { strict: true, guard: false, admission: false, watch: false }],
    ["a cluster", { cluster: { provider: "rehearsal", workers: 1 } }],
    ["a file, from the project's folder", { cluster: { provider: "existing", kubeconfig: "k/config" } }],
    ["Helm values", { cilium: { values: { debug: { enabled: true }, list: [1, "a"] } } }],
    ["EKS, whose network decides of Cilium", { cluster: { provider: "eks", network: "overlay" } }],
  ])("%s: as stack config says it, and the cluster has the resource's name", (_, args) => {
    const { cluster = {}, ...rest } = args as { cluster?: object };
    expect(settingsFor(args)).toEqual(settingsOf({ ...rest, cluster: { name: "prod", ...cluster } }));
  });

  test("a name of its own wins, and what is undefined is not there", () => {
    expect(settingsFor({ strict: undefined, cluster: { name: "other", image: undefined } })).toEqual(
      settingsOf({ cluster: { name: "other" } }),
    );
  });

  test("are read, not changed", () => {
    const args = { cluster: { provider: "kind" } };
    settingsFor(args);
    expect(args).toEqual({ cluster: { provider: "kind" } });
  });

  test.each<[string, object, string]>([
    ["an Output", { cluster: { name: pulumi.output("dev") } }, "cluster.name"],
    ["a promise", { encryption: Promise.resolve("ipsec") }, "encryption"],
    ["a secret among Helm values", { cilium: { values: { a: [pulumi.secret("x")] } } }, "cilium.values.a[0]"],
    ["a function", { cilium: { values: { a: () => 1 } } }, "cilium.values.a"],
    ["a whole setting as an Output", { cluster: pulumi.output({ provider: "kind" }) }, "cluster"],
  ])("%s is refused, since settings decide which resources there are", (_, args, key) => {
    expect(problemsFor(args).map(asArgument)).toEqual([
      expect.objectContaining({ key, message: expect.stringContaining("no plain value") }),
    ]);
  });

  test("all that is wrong is told at once", () => {
    const args = { encryption: "tls", strict: "yes", cluster: { workers: pulumi.output(1), podCidr: "10" }, more: 1 };
    expect(problemsFor(args).map(({ key }) => key)).toEqual(
      expect.arrayContaining([
        ...["wirecloak:encryption", "wirecloak:strict", "wirecloak:cluster.workers"],
        ...["wirecloak:cluster.podCidr", "wirecloak:more"],
      ]),
    );
  });

  test.each([["kind"], [[{ provider: "kind" }]], [null]])("cluster: %j is no object", (cluster) => {
    expect(problemsFor({ cluster })).toEqual([expect.objectContaining({ key: "wirecloak:cluster" })]);
  });
});

describe("a problem in the words of a program", () => {
  /** Words that mean stack config or our own command line. */
  const THEIRS = /wirecloak:|\bconfig\b|YAML|make (up|down|doctor)/;

  test.each(Object.entries(FIELDS).filter(([, { example }]) => example !== ""))(
    "%s: the commands that mend it name the argument and its value",
    (path, { example }) => {
      const key = settingKey(path.split("."));
      const problem = { key, message: `${key} is wrong.`, allowed: `with ${key}` };
      expect(asArgument({ ...problem, fix: setCommand(key, example) })).toEqual({
        ...{ key: path.replace(/\.\*/g, '["*"]'), message: expect.not.stringMatching(THEIRS) },
        ...{ allowed: expect.not.stringMatching(THEIRS), fix: `set ${path.replace(/\.\*/g, '["*"]')} to ${example}` },
      });
      expect(asArgument({ ...problem, fix: removeCommand(key) }).fix).toMatch(/^leave out [^ ]+$/);
    },
  );

  test.each([
    [
      "pulumi config set wirecloak:encryption wireguard && pulumi up && pulumi config set wirecloak:encryption ipsec && pulumi up",
      "set encryption to wireguard, then pulumi up, then set encryption to ipsec, then pulumi up",
    ],
    [
      "pulumi config set wirecloak:strict true, or pulumi config set wirecloak:guard false to accept it",
      "set strict to true, or set guard to false to accept it",
    ],
    ["pulumi config set --path 'wirecloak:cluster.tags[\"a b\"]' 'x y'", "set cluster.tags[\"a b\"] to 'x y'"],
    ["make up REPLACE=1, or take the change back", "pulumi up, or take the change back"],
    [
      "make doctor, then again; a cluster that is gone for good: make down",
      "mend that, then again; a cluster that is gone for good: pulumi destroy",
    ],
    [
      "make tools   # gets them; so does make up",
      "make -C node_modules/wirecloak tools   # gets them, and says where they are",
    ],
    ["./bin/setup eks", "node_modules/wirecloak/bin/setup eks"],
    ["kubectl get nodes", "kubectl get nodes"],
  ])("%s", (fix, said) => {
    expect(asArgument({ key: "k", message: "m", fix })).toEqual({ key: "k", message: "m", fix: said });
  });

  test.each<object>([
    { cilium: { version: 1.2 } },
    { cilium: { version: "v1.20.2", chart: "https://me:secret@host/charts", namespace: "A" } },
    { cilium: { values: { encryption: { enabled: false } }, routing: "native" } },
    { encryption: "none", strict: true, psk: "x" },
    {
      wireguard: { nodeEncryption: "true", userspaceFallback: true },
      ipsec: { nodeEncryption: true, interface: "eth0" },
    },
    { cluster: { provider: "existing", workers: 1 } },
    { cluster: { provider: "eks", network: "chaining", podCidr: "10.0.0.0/8" }, encryption: "ipsec" },
  ])("what %j is refused with has none of stack config's", (args) => {
    const problems = problemsFor(args);
    expect(problems).not.toEqual([]);
    for (const { key, message, allowed = "", fix = "" } of problems.map(asArgument))
      expect([key, message, allowed, fix].join("\n")).not.toMatch(THEIRS);
  });
});
