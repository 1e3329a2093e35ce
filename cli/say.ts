/** A line of progress for people, kept off standard output, which is for results. */
export function say(line: string): void {
  console.error(`wirecloak: ${line}`);
}
