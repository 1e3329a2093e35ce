import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Results as JSON lines in a folder, a file for each process that writes, so that a run which is started again goes on where it was. */
export class Results<T> {
  private readonly folder: string;
  private readonly kind: string;

  /** @param kind the beginning of the files' names */
  constructor(folder: string, kind: string) {
    this.folder = folder;
    this.kind = kind;
    mkdirSync(folder, { recursive: true });
  }

  /** Everything that is known, of this run and of earlier ones. */
  all(): T[] {
    return readdirSync(this.folder)
      .filter((file) => file.startsWith(`${this.kind}-`) && file.endsWith(".jsonl"))
      .sort()
      .flatMap((file) => lines<T>(readFileSync(join(this.folder, file), "utf8")));
  }

  add(result: T): void {
    const file = join(this.folder, `${this.kind}-${process.pid}.jsonl`);
    // What a killed process left may end in the middle of a line.
    const broken = existsSync(file) && !/(^|\n)$/.test(readFileSync(file, "utf8"));
    appendFileSync(file, `${broken ? "\n" : ""}${JSON.stringify(result)}\n`);
  }
}

function lines<T>(text: string): T[] {
  return text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as T];
    } catch {
      return [];
    }
  });
}
