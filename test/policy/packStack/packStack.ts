import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { stringify } from "yaml";
import { projectRoot } from "../../../tools/paths.ts";
import type { Run } from "../../engine/engineStack.ts";

/** Why it cannot run on this machine; undefined where it can. */
export const withoutPulumi = ["pulumi", "pulumi-language-nodejs"]
  .filter((tool) => spawnSync("which", [tool]).status !== 0)
  .map((tool) => `${tool} is not on PATH (run \`make test\`)`)
  .at(0);

/** A resource that the program asks for. `{ later: value }` anywhere in its props is known only once the resource before it is there. */
export interface AskedFor {
  type: string;
  name: string;
  props: Record<string, unknown>;
  /** Name of the provider that it goes through, which is asked for before. */
  through?: string;
}

/** What reached the provider in an update. */
export interface Reached {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
}

/**
 * A stack of a few resources under the real engine and the real pack. The provider behind it is a test's own, which makes nothing and writes all down; or
 * the one on PATH, which reaches clusters.
 */
export class PackStack {
  private readonly home = mkdtempSync(join(tmpdir(), "wcl-"));
  private readonly asked = join(this.home, "asked");
  private readonly env: NodeJS.ProcessEnv;
  readonly name = "test";

  constructor(provider: "recording" | "on PATH" = "recording") {
    const bin = join(this.home, "bin");
    const backend = join(this.home, "backend");
    for (const folder of [bin, backend]) mkdirSync(folder);
    if (provider === "recording") {
      const plugin = join(bin, "pulumi-resource-kubernetes");
      writeFileSync(
        plugin,
        `#!/bin/sh\nexec node ${join(import.meta.dirname, "provider.ts")} kubernetes 4.34.2 "$@"\n`,
      );
      chmodSync(plugin, 0o755);
    }
    this.env = {
      ...process.env,
      PATH: [bin, process.env.PATH].join(delimiter),
      PULUMI_BACKEND_URL: `file://${backend}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      ASKED_FILE: this.asked,
      RESOURCES_FILE: join(this.home, "resources.json"),
    };
    symlinkSync(join(projectRoot, "node_modules"), join(this.home, "node_modules"));
    const runtime = { name: "nodejs", options: { typescript: false } };
    const project = { name: "packed", main: join(import.meta.dirname, "program.ts"), runtime };
    writeFileSync(join(this.home, "Pulumi.yaml"), stringify(project));
    const init = this.run("stack", "init", this.name);
    if (init.code !== 0) throw new Error(init.output);
  }

  /** What a preview of these resources says. */
  preview(resources: readonly AskedFor[], config?: object): Run {
    return this.withPack(["preview"], resources, config);
  }

  /** The same without the pack. */
  upWithoutPack(resources: readonly AskedFor[]): Run {
    this.ask(resources);
    return this.run("up", "--yes", "--skip-preview", "--stack", this.name, "--non-interactive");
  }

  /** What an update to these resources says, and what of them reached the recording provider. */
  up(resources: readonly AskedFor[], config?: object): Run & { reached: Reached[] } {
    rmSync(this.asked, { force: true });
    const run = this.withPack(["up", "--yes", "--skip-preview"], resources, config);
    const lines = existsSync(this.asked) ? readFileSync(this.asked, "utf8").trim().split("\n") : [];
    return { ...run, reached: lines.map((line) => JSON.parse(line) as Reached) };
  }

  close(): void {
    rmSync(this.home, { recursive: true, force: true });
  }

  private withPack(command: string[], resources: readonly AskedFor[], config: object | undefined): Run {
    this.ask(resources);
    const file = join(this.home, "policies.json");
    writeFileSync(file, JSON.stringify(config ?? {}));
    const pack = ["--policy-pack", join(projectRoot, "policies/launch"), "--policy-pack-config", file];
    return this.run(...command, "--stack", this.name, "--non-interactive", ...pack);
  }

  private ask(resources: readonly AskedFor[]): void {
    writeFileSync(this.env.RESOURCES_FILE ?? "", JSON.stringify({ resources }));
  }

  private run(...args: string[]): Run {
    const { status, stdout, stderr } = spawnSync("pulumi", args, { cwd: this.home, env: this.env, encoding: "utf8" });
    return { code: status ?? -1, output: `${stdout}${stderr}` };
  }
}
