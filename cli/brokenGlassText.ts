import { type BrokenGlass, glassSentence } from "../prover/live/brokenGlass.ts";

/** What is taken out of admission, a line each; nothing where nothing is. */
export function brokenGlassText(broken: readonly BrokenGlass[], now: Date): string {
  return broken.map((glass) => `${glassSentence(glass, now)}\n`).join("");
}
