import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { isRunning } from "./processes.ts";

/** What Pulumi writes into a state lock of a file backend (pkg/backend/diy/lock.go). */
interface Lock {
  pid: number;
  hostname: string;
}

/** Removes the state locks whose process was on this machine and is gone, as a killed run leaves them; returns their paths. */
export function clearDeadLocks(backend: string): string[] {
  const locks = join(backend, ".pulumi/locks");
  if (!existsSync(locks)) return [];
  const dead = readdirSync(locks, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".json"))
    .map((file) => join(locks, file))
    .filter((path) => isDead(JSON.parse(readFileSync(path, "utf8")) as Lock));
  for (const path of dead) {
    rmSync(path);
    rmSync(`${path}.attrs`, { force: true });
  }
  return dead;
}

function isDead(lock: Lock): boolean {
  return lock.hostname === hostname() && !isRunning(lock.pid);
}
