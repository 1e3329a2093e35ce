import type { GuardSeen } from "../../../prover/observation.ts";
import type { Form } from "./forms.ts";
import { type Count, DROPS, type Drop, PLAINTEXT } from "./ruleset.ts";
import type { GuardTable } from "./table.ts";

/** A guard in force as `show` prints it, for programs that know nothing of how it is made. */
export function guardShown(table: GuardTable | undefined): GuardSeen | null {
  if (table === undefined) return null;
  const { generation, forms, digest, intact, dropped } = table;
  const counters = (Object.entries(dropped) as [Drop, Count][]).map(([name, count]) => [
    name,
    { ...count, what: DROPS[name], plaintext: countsPlaintext(name, forms) },
  ]);
  return { generation, forms, digest, intact, dropped: Object.fromEntries(counters) };
}

/** Up to 1.17 in a tunnel Cilium's IPsec sends what nodes and pods exchange readable inside the overlay, by design. */
function countsPlaintext(name: Drop, forms: readonly Form[]): boolean {
  return PLAINTEXT.includes(name) && !(name === "overlay" && forms.includes("ipsec-in-overlay"));
}
