import { fstatSync } from "node:fs";

/** Ends this process when the engine is gone, even where it was killed: then the end of standard input is all that tells. */
export function endWithEngine(): void {
  const stdin = fstatSync(0);
  // Whoever starts a pack in another way may give it an input that says nothing.
  if (stdin.isFIFO() || stdin.isSocket()) process.stdin.resume().on("end", () => process.exit());
}
