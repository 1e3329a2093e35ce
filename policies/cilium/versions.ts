import { coerce, valid } from "semver";

/**
 * A version of Cilium as its chart gives it, `1.20.2`; undefined where it is none (a range, or nothing at all).
 * @param text with or without `v`
 */
export function exactVersion(text: string | undefined): string | undefined {
  return (text && valid(text.replace(/^v/, ""))) ?? undefined;
}

/** The minor version as a number, 20 of `1.20.2`; undefined where nothing is known. */
export function minorOf(version: string | undefined): number | undefined {
  const known = version === undefined ? null : coerce(version);
  return known?.major === 1 ? known.minor : undefined;
}
