import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** Programs called `name` in the folders of a PATH, in its order; each real file once. Relative folders do not count. */
export function findOnPath(name: string, path: string): string[] {
  const seen = new Set<string>();
  return path
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .filter(isProgram)
    .filter((candidate) => {
      const real = realpathSync(candidate);
      return !seen.has(real) && seen.add(real);
    });
}

/** Whether there is a file that may be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
