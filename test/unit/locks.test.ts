import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { clearDeadLocks } from "../../cli/locks.ts";

describe("state locks of Pulumi's file backend", () => {
  let backend: string;
  beforeEach(() => {
    backend = mkdtempSync(join(tmpdir(), "wirecloak-locks-"));
  });
  afterEach(() => rmSync(backend, { recursive: true }));

  function lock(content: { pid: number; hostname: string }): string {
    const folder = join(backend, ".pulumi/locks/organization/wirecloak/dev");
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${content.pid}-${content.hostname}.json`);
    writeFileSync(path, JSON.stringify(content));
    return path;
  }
  const deadPid = () => spawnSync("true").pid;

  test("of a process that is gone are removed", () => {
    const path = lock({ pid: deadPid(), hostname: hostname() });
    expect(clearDeadLocks(backend)).toEqual([path]);
    expect(existsSync(path)).toBe(false);
  });

  test("of a process that ended and that nobody has asked after are removed", async () => {
    // The shell's child ends at once, and the sleep that takes the shell's place never asks after it.
    const parent = spawn("sh", ["-c", "true & echo $!; exec sleep 10"], { stdio: ["ignore", "pipe", "ignore"] });
    const zombie = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    await new Promise((resolve) => setTimeout(resolve, 200));
    const path = lock({ pid: zombie, hostname: hostname() });
    expect(clearDeadLocks(backend)).toEqual([path]);
    parent.kill();
  });

  test("of a living process stay", () => {
    const path = lock({ pid: process.pid, hostname: hostname() });
    expect(clearDeadLocks(backend)).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  test("of another machine stay, since its processes cannot be seen from here", () => {
    const path = lock({ pid: deadPid(), hostname: "another-machine" });
    expect(clearDeadLocks(backend)).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  test("a backend that never had any is fine", () => {
    expect(clearDeadLocks(backend)).toEqual([]);
  });
});
