import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const SQLITE_BUSY = 5;
const RETRY_MS = 200;

/**
 * Runs `action` while no other process of this machine holds the lock `file`; waits for it as long as it takes.
 * The lock is SQLite's lock on an empty database: the kernel drops it with the process, so a kill -9 leaves nothing stale.
 * `onWait` hears once who holds it.
 */
export async function withLock<T>(
  file: string,
  onWait: (holder: string) => void,
  action: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: 0 });
  const holderFile = `${file}.holder`;
  try {
    let told = false;
    while (!tryLock(database)) {
      if (!told) onWait(holderOf(holderFile));
      told = true;
      await sleep(RETRY_MS);
    }
    writeFileSync(holderFile, `process ${process.pid}`);
    return await action();
  } finally {
    if (database.isTransaction) rmSync(holderFile, { force: true });
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}

/** For a message only: the holder may have gone, or not have written its name yet. */
function holderOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "another process";
  }
}
