import { spawn } from "node:child_process";

/** Starts the program once for each task, told by TASK in its environment, so many at once; resolves when all have ended. */
export async function inProcesses(
  program: string,
  tasks: readonly object[],
  atOnce: number,
  env: Record<string, string>,
): Promise<void> {
  const left = [...tasks];
  const worker = async (): Promise<void> => {
    for (let task = left.shift(); task !== undefined; task = left.shift()) {
      const child = spawn("node", [program], {
        env: { ...process.env, ...env, TASK: JSON.stringify(task) },
        stdio: "inherit",
      });
      await new Promise((resolve) => child.on("close", resolve));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
