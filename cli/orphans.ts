import { environmentOf, processes } from "./processes.ts";

/** The language host's name, as far as the kernel keeps it. */
const LANGUAGE_HOST = "pulumi-language-nodejs".slice(0, 15);

/**
 * Ends the language hosts that a killed `pulumi` left behind: it was their parent, and they do not notice.
 * Ours are known by the backend in their environment. Linux only: elsewhere there is no /proc to ask. Returns their process ids.
 */
export function endOrphans(backendUrl: string): number[] {
  const all = processes();
  const engines = new Set(all.filter(({ name, zombie }) => name === "pulumi" && !zombie).map(({ pid }) => pid));
  const orphans = all.filter(
    ({ pid, name, parent }) =>
      name === LANGUAGE_HOST &&
      !engines.has(parent) &&
      environmentOf(pid).includes(`PULUMI_BACKEND_URL=${backendUrl}\0`),
  );
  for (const { pid } of orphans) process.kill(pid, "SIGTERM");
  return orphans.map(({ pid }) => pid);
}
