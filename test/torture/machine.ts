import { cpus, totalmem } from "node:os";

/** When and where this runs, for the head of a result. */
export function machine(): string {
  const date = new Date().toISOString().slice(0, 10);
  const [cpu] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${date}, ${cpus().length} cores of ${cpu?.model.trim() ?? "a processor"}, ${memory} GiB`;
}
