/** One way of getting a tool does not work, and why. Never shown itself: the next way is tried, and a UserError names all the reasons. */
export class Unobtainable extends Error {
  override readonly name = "Unobtainable";
}
