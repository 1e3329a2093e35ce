import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { parse } from "yaml";
import { type CommandResult, runCommand } from "../../tools/command.ts";
import { type Problem, UserError } from "../userError.ts";

/** A cluster as one context of a kubeconfig names it. */
export interface Target {
  /** Path of the kubeconfig. */
  kubeconfig: string;
  context: string;
  /** The API server's address in the kubeconfig. */
  apiServer: { host: string; port: number };
}

interface Kubeconfig {
  "current-context"?: string;
  contexts?: { name: string; context?: { cluster?: string } }[];
  clusters?: { name: string; cluster?: { server?: string } }[];
}

const KUBECONFIG_KEY = "wirecloak:cluster.kubeconfig";
const CONTEXT_KEY = "wirecloak:cluster.context";

/** Reads which cluster a context of a kubeconfig means (absent: its current context). Throws UserError: no such file, context or server. */
export function readKubeconfig(path: string, context?: string): Target {
  const config = parseKubeconfig(path);
  const names = (config.contexts ?? []).map(({ name }) => name);
  const chosen = context ?? config["current-context"];
  const found = config.contexts?.find(({ name }) => name === chosen)?.context;
  if (chosen === undefined || found === undefined) {
    throw mistake({
      key: CONTEXT_KEY,
      value: chosen ?? null,
      message: chosen ? `${path} has no such context.` : `${path} has no current context, and no context is set.`,
      allowed: names.length > 0 ? names.join(", ") : "nothing: the file has no context",
    });
  }
  const server = config.clusters?.find(({ name }) => name === found.cluster)?.cluster?.server;
  const url = server === undefined ? null : URL.parse(server);
  if (url === null) {
    throw mistake({
      key: KUBECONFIG_KEY,
      value: path,
      message: `Its context ${chosen} names the cluster ${found.cluster}, for which the file has no server with a URL.`,
    });
  }
  // An IPv6 address stands in brackets in a URL, and without them elsewhere.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (url.protocol === "http:" ? 80 : 443) : Number(url.port);
  return { kubeconfig: path, context: chosen, apiServer: { host, port } };
}

function parseKubeconfig(path: string): Kubeconfig {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw mistake({
      key: KUBECONFIG_KEY,
      value: path,
      message: missing ? "There is no such file." : `It cannot be read: ${(error as Error).message}`,
    });
  }
  let config: unknown;
  try {
    config = parse(text);
  } catch {
    // The parser's message would quote the file, keys and all.
    config = undefined;
  }
  if (typeof config === "object" && config !== null) return config;
  throw mistake({
    key: KUBECONFIG_KEY,
    value: path,
    message: "It is not a kubeconfig: no YAML with contexts and clusters.",
  });
}

/** Runs kubectl; the real one is `runKubectl`. */
export type Kubectl = (args: string[]) => Promise<Pick<CommandResult, "code" | "stdout" | "stderr" | "failure">>;

/** Seconds that the API server has to answer. */
const ANSWER_TIMEOUT = 5;

/**
 * The UID of the namespace kube-system: the same as long as the cluster lives, and no other cluster's. Reads only. Rejects with a
 * UserError that names the cause where the cluster does not answer.
 */
export async function kubeSystemUid(target: Target, kubectl: Kubectl = runKubectl): Promise<string> {
  const { kubeconfig, context } = target;
  const { code, stdout, stderr, failure } = await kubectl([
    `--kubeconfig=${kubeconfig}`,
    `--context=${context}`,
    `--request-timeout=${ANSWER_TIMEOUT}s`,
    ...["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"],
  ]);
  if (code === 0 && stdout !== "") return stdout;
  throw mistake({
    key: KUBECONFIG_KEY,
    value: kubeconfig,
    message: `The cluster of context ${context} does not answer: ${causeOf(stderr || (failure ?? ""), target)}`,
    fix: `kubectl --kubeconfig ${kubeconfig} --context ${context} get nodes`,
  });
}

/** What kubectl says where a cluster cannot be asked, and what it means. */
const CAUSES: [RegExp, (target: Target) => string][] = [
  [/ENOENT|executable file not found/, () => "a program that the kubeconfig or we need is not on PATH."],
  [/connection refused|was refused/, ({ apiServer }) => `nothing listens on ${apiServer.host}:${apiServer.port}.`],
  [/no such host|server misbehaving/, ({ apiServer }) => `the name ${apiServer.host} cannot be resolved.`],
  [/x509|certificate|tls:/i, () => "TLS fails; the kubeconfig is another cluster's, or a certificate has expired."],
  [/Unauthorized|provide credentials/i, () => "it does not accept the credentials in the kubeconfig."],
  [
    /forbidden/i,
    () => "the credentials may not read the namespace kube-system; installing Cilium needs an administrator.",
  ],
  [
    /SIGTERM|timeout|deadline exceeded|timed out/i,
    ({ apiServer }) => `no answer from ${apiServer.host}:${apiServer.port} within ${ANSWER_TIMEOUT} s.`,
  ],
];

function causeOf(stderr: string, target: Target): string {
  const known = CAUSES.find(([pattern]) => pattern.test(stderr));
  const said = stderr.trim().split("\n").at(-1) ?? "";
  return known ? `${known[1](target)} (${said})` : said;
}

const runKubectl: Kubectl = (args) =>
  runCommand("kubectl", args, {
    cwd: tmpdir(),
    env: process.env,
    // Some ways of not answering know no request timeout, a credential program that waits for input for one.
    timeoutMs: (ANSWER_TIMEOUT + 2) * 1000,
  });

function mistake(problem: Problem): UserError {
  return new UserError([problem]);
}
