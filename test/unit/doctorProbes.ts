import type { Probes } from "../../doctor/probes.ts";
import type { CommandResult } from "../../tools/command.ts";

/** What a program came to; unnamed parts are those of a quiet success. */
export function result(parts: Partial<CommandResult> = {}): CommandResult {
  return { code: 0, stdout: "", stderr: "", ...parts };
}

/** Answers by the beginning of a command line; the first that fits. */
export type Answers = [RegExp, Partial<CommandResult>][];

/** A machine that has all it takes, but for `change`. Programs it does not know are not there. */
export function machine(answers: Answers = [], change: Partial<Probes> = {}): Probes & { ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    platform: "linux",
    kernel: "6.12.0",
    root: true,
    stateDir: "/state",
    env: { PATH: "/nowhere" },
    run: async (program, args) => {
      const line = [program, ...args].join(" ");
      ran.push(line);
      const known = answers.find(([pattern]) => pattern.test(line));
      return known ? result(known[1]) : result({ code: null, failure: "ENOENT" });
    },
    read: (path) => (path.startsWith("/proc/sys/fs/inotify/") ? "1048576\n" : undefined),
    freeDisk: async () => 100 * 2 ** 30,
    freePort: async () => undefined,
    fetchText: async () => undefined,
    ...change,
  };
}
