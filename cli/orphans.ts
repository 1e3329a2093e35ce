import { readdirSync, readFileSync } from "node:fs";

/**
 * Ends the language hosts that a killed `pulumi` left behind: it is their parent and they do not notice.
 * Ours are known by the backend in their environment. Linux only: elsewhere there is no /proc to ask. Returns their process ids.
 */
export function endOrphans(backendUrl: string): number[] {
  const orphans = processes().filter(
    ({ name, parent, environment }) =>
      // The kernel keeps 15 characters of a process's name.
      name === "pulumi-language-nodejs".slice(0, 15) &&
      nameOf(parent) !== "pulumi" &&
      environment.includes(`PULUMI_BACKEND_URL=${backendUrl}\0`),
  );
  for (const { pid } of orphans) process.kill(pid, "SIGTERM");
  return orphans.map(({ pid }) => pid);
}

interface Process {
  pid: number;
  name: string;
  parent: number;
  environment: string;
}

function processes(): Process[] {
  return list("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map((pid) => ({
      pid: Number(pid),
      name: nameOf(Number(pid)),
      parent: Number(/^PPid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0),
      environment: `${read(`/proc/${pid}/environ`)}\0`,
    }));
}

function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`).trim();
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty where the process has ended meanwhile, or is another user's. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
