import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCommand } from "../../tools/command.ts";
import { projectRoot } from "../../tools/paths.ts";

const here = { cwd: tmpdir(), env: process.env };

describe("a command with a time limit", () => {
  test("is ended by it", async () => {
    expect(await runCommand("sleep", ["600"], { ...here, timeoutMs: 100 })).toMatchObject({
      code: null,
      failure: "SIGTERM",
    });
  });

  test("that could not start is not waited for until then, by whoever asked for it", () => {
    const program = `import { runCommand } from ${JSON.stringify(join(projectRoot, "tools/command.ts"))};
      console.log((await runCommand("no-such-program", [], { cwd: "/", env: {}, timeoutMs: 600_000 })).failure);`;
    const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
      timeout: 30_000,
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: "ENOENT\n" });
  }, 60_000);
});
