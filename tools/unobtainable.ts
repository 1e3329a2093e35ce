/** One way of getting a tool does not work, and why. Never shown itself: the next way is tried, and a UserError names all the reasons. */
export class Unobtainable extends Error {
  override readonly name = "Unobtainable";
  /** What would make this way work, where that is known. */
  readonly fix: string | undefined;

  constructor(reason: string, fix?: string) {
    super(reason);
    this.fix = fix;
  }
}
