import http from "node:http";

/** Which hosts answer, each asked once a run. */
export interface Network {
  /** Why nothing can be had from the URL's host, or undefined where it answers. */
  unreachable: (url: string) => Promise<string | undefined>;
}

/** @param limitMs how long a host has for its first answer, in milliseconds */
export function openNetwork(limitMs = 3_000): Network {
  // fetch obeys HTTPS_PROXY and its like only when told to.
  http.setGlobalProxyFromEnv();
  const answers = new Map<string, Promise<string | undefined>>();
  return {
    unreachable: (url) => {
      const { origin } = new URL(url);
      const answer = answers.get(origin) ?? probe(origin, limitMs);
      answers.set(origin, answer);
      return answer;
    },
  };
}

async function probe(origin: string, limitMs: number): Promise<string | undefined> {
  try {
    // Whatever status it answers with, it answers.
    await fetch(origin, { method: "HEAD", redirect: "manual", signal: AbortSignal.timeout(limitMs) });
    return undefined;
  } catch (error) {
    return `${new URL(origin).host} does not answer (${networkReason(error)})`;
  }
}

/** The word in an error of fetch that tells something: ENOTFOUND, ECONNREFUSED, TimeoutError. */
export function networkReason(error: unknown): string {
  const { name, message, cause } = error as {
    name?: string;
    message?: string;
    cause?: { code?: string; message?: string };
  };
  if (name === "TimeoutError") return "no answer in time";
  return cause?.code ?? cause?.message ?? message ?? String(error);
}
