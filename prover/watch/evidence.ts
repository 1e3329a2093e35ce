import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeEvidence } from "../evidence/files.ts";
import { evidenceSchema } from "../evidence/schema.ts";
import type { Change } from "./change.ts";

/** Adds a change to the evidence of the proof that came with it; nothing where there is no evidence. */
export function addChange(folder: string, change: Change): void {
  const file = join(folder, "evidence.json");
  if (!existsSync(file)) return;
  const evidence = evidenceSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
  if (evidence.success) writeEvidence(folder, { ...evidence.data, change });
  else console.error(`${file} is of another version, and does not get the change`);
}
