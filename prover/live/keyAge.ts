import type { SettledSeen } from "../observation.ts";

const DAY = 24 * 3600 * 1000;

/** Whole days since the IPsec key was made, as the record has it, else as its Secret was last written; null where neither is known. */
export function keyAgeDays({ record, secret, secretUnread }: SettledSeen, now: Date): number | null {
  const isRecorded = secretUnread !== null || (secret !== null && record?.key?.digest === secret.digest);
  const since = isRecorded ? record?.key?.since : secret?.by?.time;
  return since ? Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / DAY)) : null;
}
