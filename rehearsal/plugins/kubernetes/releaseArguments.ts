/** The inputs of a `helm.v3.Release` that are obeyed here. */
export interface ReleaseInputs {
  name: string;
  namespace: string;
  chart: string;
  version?: string;
  repositoryOpts?: { repo?: string };
  values?: Record<string, unknown>;
  /** Seconds. */
  timeout?: number;
  skipAwait?: boolean;
  atomic?: boolean;
  cleanupOnFail?: boolean;
  createNamespace?: boolean;
  skipCrds?: boolean;
  waitForJobs?: boolean;
  maxHistory?: number;
  resetValues?: boolean;
  disableOpenapiValidation?: boolean;
  description?: string;
}

const SUPPORTED = new Set([
  ...[
    "name",
    "namespace",
    "chart",
    "version",
    "repositoryOpts",
    "values",
    "timeout",
    "skipAwait",
    "atomic",
    "cleanupOnFail",
  ],
  ...[
    "createNamespace",
    "skipCrds",
    "waitForJobs",
    "maxHistory",
    "resetValues",
    "disableOpenapiValidation",
    "description",
  ],
  // Of the SDK and the official plugin alone; they change nothing in the cluster.
  ...["compat", "allowNullValues", "resourceNames", "status", "lint", "devel"],
]);

/** Inputs that would be ignored here, and must not be: an ignored option may leave another cluster than was asked for. */
export function unsupported(inputs: Record<string, unknown>): { property: string; reason: string }[] {
  return Object.entries(inputs)
    .filter(([property, value]) => !SUPPORTED.has(property) && value !== null && value !== false)
    .map(([property]) => ({ property, reason: `the stand-in for kubernetes does not know ${property} of a Release` }));
}

/** What names the chart, for `helm show` and `helm upgrade`. */
export function chartArguments({
  chart,
  version,
  repositoryOpts,
}: Pick<ReleaseInputs, "chart" | "version" | "repositoryOpts">): string[] {
  const repo = repositoryOpts?.repo;
  // A local chart has one version, and helm would look for another in a repository.
  const local = chart.startsWith("/") || chart.startsWith("./") || chart.startsWith("../");
  return [chart, ...(repo ? ["--repo", repo] : []), ...(version && !local ? ["--version", version] : [])];
}

/** `helm upgrade --install` with everything but the values, which go by standard input. */
export function upgradeArguments(release: ReleaseInputs & { timeout: number }): string[] {
  const flags: [keyof ReleaseInputs, string][] = [
    ["atomic", "--rollback-on-failure"],
    ["cleanupOnFail", "--cleanup-on-fail"],
    ["createNamespace", "--create-namespace"],
    ["skipCrds", "--skip-crds"],
    ["waitForJobs", "--wait-for-jobs"],
    ["disableOpenapiValidation", "--disable-openapi-validation"],
  ];
  return [
    ...[
      "upgrade",
      "--install",
      release.name,
      ...chartArguments(release),
      "--namespace",
      release.namespace,
      "--values",
      "-",
    ],
    // The rule of Helm 3, which the official plugin embeds: ready at desired minus maxUnavailable.
    ...(release.skipAwait ? [] : ["--wait=legacy"]),
    ...["--timeout", `${release.timeout}s`, "--history-max", String(release.maxHistory ?? 0)],
    ...(release.description ? ["--description", release.description] : []),
    ...flags.filter(([input]) => release[input] === true).map(([, flag]) => flag),
  ];
}
