import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exampleNames } from "../../cli/example/exampleFile.ts";
import { processesIn } from "../../rehearsal/processes.ts";
import { projectRoot } from "../../tools/paths.ts";
import { describeUnless } from "../skip.ts";
import { healthyVerdict, withoutEngine } from "./engineStack.ts";

jest.setTimeout(600_000);

const wirecloak = join(projectRoot, "bin/wirecloak");
const withoutWire = healthyVerdict === "proven" ? undefined : "there is no wire here, so nothing can be proven";

describeUnless(withoutEngine ?? withoutWire, "examples, from start to end in rehearsal", () => {
  const home = mkdtempSync(join(tmpdir(), "wcx-"));
  const state = join(home, "s");
  // No backend of the user's: an example brings its own.
  const { PULUMI_BACKEND_URL: _, PULUMI_ACCESS_TOKEN: __, ...environment } = process.env;
  const env = { ...environment, WIRECLOAK_STATE_DIR: state, PULUMI_HOME: join(home, "nobody-logged-in") };
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  // The library's is kept for library.test.ts, which goes on with its cluster.
  const here = exampleNames().filter((name) => name !== "library");
  test.each(here)("%s: every step is as expected, and nothing is left", (name) => {
    const { status, stdout, stderr } = spawnSync(wirecloak, ["example", name, "--provider", "rehearsal"], {
      env,
      encoding: "utf8",
      // It removes what it made then, too.
      timeout: 540_000,
    });
    expect(`${stdout}${stderr}`).toMatch(/as expected: \d+ steps/);
    expect(stdout).not.toContain("✗");
    expect(stdout.trimEnd()).toMatch(/removed$/);
    expect(status).toBe(0);
    expect(readdirSync(`${state}-examples`)).toEqual([]);
    expect(processesIn(`${state}-examples`)).toEqual([]);
  });
});
