/** `usage`: the prover was called wrongly. `unanswered`: the cluster could not be asked, so nothing can be said of it. */
export type ProverErrorKind = "usage" | "unanswered";

/** Why no verdict was reached. Shown to people as its message, never as a stack. */
export class ProverError extends Error {
  override readonly name = "ProverError";
  readonly kind: ProverErrorKind;

  constructor(kind: ProverErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Tells people why, and gives the exit code to end with. Any other error is a bug, and thrown on. */
export function endedBy(error: unknown, tell: (message: string) => void = console.error): 2 | 3 {
  if (!(error instanceof ProverError)) throw error;
  tell(error.message);
  return error.kind === "usage" ? 2 : 3;
}
