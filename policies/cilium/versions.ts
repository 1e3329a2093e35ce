import coerce from "semver/functions/coerce.js";
import valid from "semver/functions/valid.js";

/** What is told of Cilium's version; neither where it is told elsewhere, as in a chart's own Chart.yaml. */
export interface Version {
  /** `1.20.2` */
  exact?: string;
  /** What is said in place of an exact one, so that it may change by itself: a range, or nothing. */
  floating?: string;
}

/**
 * A version of Cilium as its chart gives it, `1.20.2`; undefined where it is none (a range, or nothing at all).
 * @param text with or without `v`
 */
export function exactVersion(text: string | undefined): string | undefined {
  return (text && valid(text.replace(/^v/, ""))) ?? undefined;
}

/** The minor version as a number, 20 of `1.20.2`; undefined where nothing is known. */
export function minorOf({ exact }: Version): number | undefined {
  const known = exact === undefined ? null : coerce(exact);
  return known?.major === 1 ? known.minor : undefined;
}

/** What a Helm release is pinned to. */
export function chartVersion(chart: string, version: string | undefined): Version {
  const exact = exactVersion(version ?? /cilium[-:]v?(\d[^/@]*?)(?:\.tgz)?(?:@|\/|$)/.exec(chart)?.[1]);
  if (exact !== undefined) return { exact };
  // A folder and an archive hold one version, and so does a digest; which one is not told here.
  const isLocal = /^(\.{0,2}\/|[A-Za-z]:\\)/.test(chart) || chart.endsWith(".tgz");
  return version === undefined && (isLocal || chart.includes("@sha256:")) ? {} : { floating: version ?? "" };
}

/** What an image of the agent is pinned to. */
export function imageVersion(image: string | undefined): Version {
  const [, tag, digest] = /^[^@]*?(?::([^:/@]+))?(@.+)?$/.exec(image ?? "") ?? [];
  const exact = exactVersion(tag);
  if (exact !== undefined) return { exact };
  return image === undefined || digest !== undefined ? {} : { floating: tag ?? "" };
}
