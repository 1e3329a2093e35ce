import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb.js";
import {
  AnalyzeRequest,
  type AnalyzeResponse,
  AnalyzerResourceOptions,
  AnalyzerStackConfigureRequest,
} from "@pulumi/pulumi/proto/analyzer_pb.js";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { projectRoot } from "../../tools/paths.ts";

jest.setTimeout(120_000);

/** How a file is marked on the wire (sdk/go/common/resource/sig). */
const FILE = { "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17" };

describe("the policy pack as the engine starts it", () => {
  let program: string;
  let pack: ChildProcess;
  let client: AnalyzerClient;

  beforeAll(async () => {
    program = mkdtempSync(join(tmpdir(), "program-"));
    pack = spawn(join(projectRoot, "policies/launch"), ["127.0.0.1:1"], {
      cwd: program,
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (!pack.stdout) throw new Error("no output");
    const [port] = await once(pack.stdout, "data");
    client = new AnalyzerClient(`127.0.0.1:${String(port).trim()}`, credentials.createInsecure());
  });
  afterAll(() => {
    client.close();
    pack.kill();
    rmSync(program, { recursive: true });
  });

  /** The names of the policies that refuse a release, and those that only advise. */
  async function asked(props: object, config: Record<string, string> = {}) {
    const stack = new AnalyzerStackConfigureRequest().setStack("dev");
    for (const [key, value] of Object.entries(config)) stack.getConfigMap().set(key, value);
    await new Promise((done, fail) => client.configureStack(stack, (error) => (error ? fail(error) : done(undefined))));
    const request = new AnalyzeRequest()
      .setType("kubernetes:helm.sh/v3:Release")
      .setUrn("urn:pulumi:dev::p::kubernetes:helm.sh/v3:Release::cilium")
      .setName("cilium")
      .setOptions(new AnalyzerResourceOptions())
      .setProperties(Struct.fromJavaScript({ chart: "cilium", version: "1.20.2", ...props }));
    const answer = await new Promise<AnalyzeResponse>((done, fail) =>
      client.analyze(request, (error, response) => (error ? fail(error) : done(response))),
    );
    const told = answer.getDiagnosticsList().map((each) => ({
      name: each.getPolicyname(),
      message: each.getMessage(),
      isMandatory: each.getEnforcementlevel() === 1,
    }));
    const names = (is: boolean) => told.filter(({ isMandatory }) => isMandatory === is).map(({ name }) => name);
    return { refused: names(true), advised: names(false), messages: told.map(({ message }) => message).join("\n") };
  }

  const plain = { values: { rollOutCiliumPods: true } };
  const until = (day: string) => ({ "wirecloak:allowPlaintext": JSON.stringify({ reason: "a test", until: day }) });

  test("refuses plaintext", async () => {
    expect(await asked(plain)).toMatchObject({ refused: ["cilium-encryption-enabled"], advised: [] });
  });

  test("goes by the stack's own wirecloak:allowPlaintext, which the engine tells it", async () => {
    expect(await asked(plain, until("2999-12-31"))).toMatchObject({ refused: [], advised: [] });
    const { refused, messages } = await asked(plain, until("2020-01-01"));
    expect(refused).toEqual(["cilium-encryption-enabled"]);
    expect(messages).toContain("wirecloak:allowPlaintext says until 2020-01-01, which has ended");
  });

  test("reads files of values that are not merged yet from where the program runs", async () => {
    writeFileSync(join(program, "values.yaml"), "encryption: { enabled: true, type: wireguard }");
    const withFile = (path: string) => ({ ...plain, valueYamlFiles: [{ ...FILE, path }] });
    expect(await asked(withFile("values.yaml"))).toMatchObject({ refused: [], advised: [] });
    const { refused, advised } = await asked(withFile("other.yaml"));
    expect(refused).toEqual([]);
    expect(advised).toContain("cilium-encryption-enabled");
  });
});
