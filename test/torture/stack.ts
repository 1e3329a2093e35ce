import type { ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { clearDeadLocks } from "../../cli/locks.ts";
import { endOrphans } from "../../cli/orphans.ts";
import type { Change } from "../../prover/watch/change.ts";
import { packageChart } from "../../rehearsal/package.ts";
import { toolFolders } from "../../tools/folders.ts";
import { cacheDir, projectRoot } from "../../tools/paths.ts";
import { EngineStack } from "../engine/engineStack.ts";
import { type Around, configOf, type Mode } from "./modes.ts";

/** Seconds after which an update is taken for hung, and killed. */
const PATIENCE = 600;

/** What an update ended with. */
export interface Updated {
  code: number;
  output: string;
  seconds: number;
  verdict: string | undefined;
  /** The watch's report, where this update has one. */
  change: Change | null;
}

/** An update on its way. */
export interface Updating {
  process: ChildProcess;
  ended: Promise<Updated>;
}

/** A rehearsal cluster under the real program, brought from mode to mode by real updates. */
export class TortureStack extends EngineStack {
  private updates = 0;
  /** The change that the outputs tell of, so that an update without one is not taken for it. */
  private lastChange: string | undefined;

  /** Sets the whole config. */
  want(mode: Mode, around: Around): void {
    const { changes, cluster, cilium } = configOf(mode, around);
    this.configure(changes, cluster, cilium);
  }

  /** Updates the stack to its config, and waits for the end. */
  async update(env: Record<string, string> = {}): Promise<Updated> {
    return this.begin(env).ended;
  }

  /** Starts an update as leader of a process group, so that all of it can be killed. */
  begin(env: Record<string, string> = {}): Updating {
    this.updates += 1;
    const log = join(this.home, `update-${this.updates}.log`);
    const to = openSync(log, "w");
    const child = this.start(["up", "--yes", "--skip-preview", "--non-interactive"], {
      stdio: ["ignore", to, to],
      env,
    });
    closeSync(to);
    const began = performance.now();
    const limit = setTimeout(() => kill(child), PATIENCE * 1000);
    const ended = new Promise<number>((resolve) => child.on("exit", (code) => resolve(code ?? -1))).then((code) => {
      clearTimeout(limit);
      const seconds = (performance.now() - began) / 1000;
      return { code, seconds, output: readFileSync(log, "utf8"), ...this.said() };
    });
    return { process: child, ended };
  }

  /** Ends what a killed update left in the way, as `wirecloak up` does: locks and language hosts. */
  clear(): void {
    endOrphans(this.env.PULUMI_BACKEND_URL ?? "");
    clearDeadLocks(join(this.home, "backend"));
  }

  /** Clears from the state what a killed update had begun, as `wirecloak up` does after an update that took it up. */
  clearPending(): void {
    if (!/"pending_operations": *\[\s*\{/.test(this.pulumi("stack", "export").output)) return;
    this.pulumi("refresh", "--yes", "--skip-preview", "--non-interactive", "--clear-pending-creates");
  }

  private said(): Pick<Updated, "verdict" | "change"> {
    const outputs = this.outputs();
    const { verdict, change } = outputs as { verdict?: string; change?: string | null };
    const read = change ? (JSON.parse(change) as Change) : null;
    const isNew = read !== null && read.id !== this.lastChange;
    this.lastChange = read?.id;
    return { verdict, change: isNew ? read : null };
  }
}

/** Kills a whole update, as a power cut would. */
export function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended by itself.
  }
}

/** Lets the tools be found, and packages the charts: before the first stack. */
export async function prepare(): Promise<void> {
  const folders = await toolFolders("rehearsal", join(cacheDir(), "pulumi-home"));
  process.env.PULUMI_HOME = join(cacheDir(), "pulumi-home");
  // Programs that are started again and again start in half the time.
  process.env.NODE_COMPILE_CACHE ||= join(cacheDir(), "node-compiled");
  process.env.PATH = [...folders, join(projectRoot, "node_modules/.bin"), process.env.PATH ?? ""].join(delimiter);
  packageChart();
}
