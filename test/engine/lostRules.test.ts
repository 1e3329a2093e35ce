import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import { forgetLostRules } from "../../cli/lostRules.ts";
import { projectRoot } from "../../tools/paths.ts";
import { withoutPulumi } from "../policy/packStack/packStack.ts";
import { describeUnless } from "../skip.ts";
import { guardInCloud } from "../unit/proverTroubles/guard.ts";

jest.setTimeout(240_000);

const [RULE, NODES] = ["dev-guard-wireguard-udp-51871-to-nodes", "dev-nodes-workers"];

describeUnless(withoutPulumi, "a rule of the guard in AWS that somebody has deleted", () => {
  let home: string;
  let env: NodeJS.ProcessEnv;
  const folder = (name: string) => join(home, name);
  const isThere = (name: string) => existsSync(join(folder("made"), name));
  const pulumi = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync("pulumi", args, { cwd: home, env, encoding: "utf8" });
    return { code: status ?? -1, output: `${stdout}${stderr}` };
  };
  const up = () => pulumi("up", "--yes", "--skip-preview", "--non-interactive");

  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "wcl-"));
    for (const name of ["bin", "backend", "made"]) mkdirSync(folder(name));
    const plugin = join(folder("bin"), "pulumi-resource-aws");
    writeFileSync(plugin, `#!/bin/sh\nexec node ${join(import.meta.dirname, "lostRules/provider.ts")} "$@"\n`, {
      mode: 0o755,
    });
    env = {
      ...process.env,
      PATH: [folder("bin"), process.env.PATH].join(delimiter),
      PULUMI_BACKEND_URL: `file://${folder("backend")}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      RESOURCES_FILE: folder("resources.json"),
      MADE_FOLDER: folder("made"),
    };
    // Nodes depend on the rule, as in the stack: it goes from under them.
    const resources = [
      { type: "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", name: RULE, props: { fromPort: 51_871 } },
      { type: "aws:eks/nodeGroup:NodeGroup", name: NODES, props: { version: "1.34" } },
    ];
    writeFileSync(folder("resources.json"), JSON.stringify({ resources }));
    symlinkSync(join(projectRoot, "node_modules"), folder("node_modules"));
    const runtime = { name: "nodejs", options: { typescript: false } };
    const main = join(projectRoot, "test/policy/packStack/program.ts");
    writeFileSync(folder("Pulumi.yaml"), stringify({ name: "lost", main, runtime }));
    expect(pulumi("stack", "init", "test")).toMatchObject({ code: 0 });
    expect(up()).toMatchObject({ code: 0 });
  });
  afterEach(() => jest.restoreAllMocks());
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  test("is not missed by an update, and made by the one after the state has forgotten it; nothing else is touched", async () => {
    rmSync(join(folder("made"), RULE));
    expect(up().output).toMatch(/\d unchanged/);
    expect(isThere(RULE)).toBe(false);

    jest.spyOn(console, "error").mockImplementation(() => undefined);
    const told = guardInCloud([]);
    const about = { node: null, address: null, what: "it is missing", evidence: "rules of sg-1", fix: null };
    told.rules.faults.push({ kind: "missing", rule: RULE.replace("dev-guard-", ""), ...about });
    const question = { command: ["sh", "-c", `cat >/dev/null; echo '${JSON.stringify(told)}'`], input: "" };
    const { output } = pulumi("stack", "export");
    expect(await forgetLostRules(question, JSON.parse(output), pulumi)).toBe(0);

    const mended = up();
    expect(mended.output).toMatch(/\+ 1 created\n +2 unchanged/);
    expect([isThere(RULE), isThere(NODES)]).toEqual([true, true]);
  });
});
