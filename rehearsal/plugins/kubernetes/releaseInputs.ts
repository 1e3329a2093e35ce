import { existsSync, readFileSync } from "node:fs";
import { parse } from "yaml";
import { type CheckFailure, RequestError } from "../plugin/provider.ts";
import { Asset, isMap, type PropertyMap, reveal, revealMap, Unknown, type Value } from "../plugin/values.ts";

/** The inputs of a `helm.v3.Release`, once all are known, without secret marks. */
export interface ReleaseInputs {
  readonly name: string;
  readonly namespace: string;
  readonly chart: string;
  readonly version?: string;
  readonly repositoryOpts?: { readonly repo?: string; readonly caFile?: string; certFile?: string; keyFile?: string };
  readonly values?: PropertyMap;
  /** Seconds; unset together with `skipAwait`. */
  readonly timeout?: number;
  readonly skipAwait?: boolean;
  readonly atomic?: boolean;
  readonly cleanupOnFail?: boolean;
  readonly createNamespace?: boolean;
  readonly skipCrds?: boolean;
  readonly waitForJobs?: boolean;
  readonly maxHistory?: number;
  readonly resetValues?: boolean;
  readonly reuseValues?: boolean;
  readonly disableOpenapiValidation?: boolean;
  readonly takeOwnership?: boolean;
  readonly devel?: boolean;
  readonly renderSubchartNotes?: boolean;
  readonly description?: string;
}

type Rule = "text" | "flag" | "number" | "map" | "files";

/** The inputs that are obeyed. */
const rules: Readonly<Record<keyof ReleaseInputs | "valueYamlFiles", Rule>> = {
  name: "text",
  namespace: "text",
  chart: "text",
  version: "text",
  repositoryOpts: "map",
  values: "map",
  valueYamlFiles: "files",
  timeout: "number",
  skipAwait: "flag",
  atomic: "flag",
  cleanupOnFail: "flag",
  createNamespace: "flag",
  skipCrds: "flag",
  waitForJobs: "flag",
  maxHistory: "number",
  resetValues: "flag",
  reuseValues: "flag",
  disableOpenapiValidation: "flag",
  takeOwnership: "flag",
  devel: "flag",
  renderSubchartNotes: "flag",
  description: "text",
};

/** What the SDK sends along, and what has no effect in the official plugin either. */
const ignored: readonly string[] = ["compat", "allowNullValues", "resourceNames", "manifest", "status", "checksum"];

/** Options for a chart's repository; credentials would have to go by helm's arguments, which others can see. */
const repositoryOptions: readonly string[] = ["repo", "caFile", "certFile", "keyFile"];

const typeTests: Readonly<Record<Rule, [test: (value: Value) => boolean, must: string]>> = {
  text: [(value) => typeof value === "string", "must be a string"],
  flag: [(value) => typeof value === "boolean", "must be true or false"],
  number: [(value) => Number.isInteger(value) && Number(value) >= 0, "must be a whole number of at least 0"],
  map: [(value) => isMap(value), "must be a map"],
  files: [Array.isArray, "must be a list of assets"],
};

/** What is wrong with the inputs; an option that would be ignored is wrong too, as it may leave another cluster. */
export function releaseFailures(inputs: PropertyMap): CheckFailure[] {
  const given = Object.entries(revealMap(inputs)).filter(([, value]) => value !== null && !(value instanceof Unknown));
  const found = given.flatMap(([property, value]): CheckFailure[] => {
    const rule = rules[property as keyof typeof rules] as Rule | undefined;
    if (rule === undefined) {
      return ignored.includes(property) || value === false || value === "" ? [] : [refusal(property)];
    }
    const [test, must] = typeTests[rule];
    return test(value) ? [] : [{ property, reason: `${property} ${must}` }];
  });
  const repository = reveal(inputs.repositoryOpts ?? null);
  const options = isMap(repository) ? Object.entries(revealMap(repository)) : [];
  const refused = options.filter(([name, value]) => value !== null && !repositoryOptions.includes(name));
  const missing = (inputs.chart ?? null) === null ? [{ property: "chart", reason: "chart is missing" }] : [];
  return [...found, ...refused.map(([name]) => refusal(`repositoryOpts.${name}`)), ...missing];
}

function refusal(property: string): CheckFailure {
  const reason = `the stand-in for the kubernetes plugin does not know ${property} of a Release; the official plugin does`;
  return { property, reason };
}

/** Inputs with the values of `valueYamlFiles` below those of `values`. */
export function withValueFiles({ valueYamlFiles, ...inputs }: PropertyMap): PropertyMap {
  const files = reveal(valueYamlFiles ?? null);
  if (!Array.isArray(files) || files.length === 0) {
    return inputs;
  }
  const layers = [...files.map(valuesIn), ...(isMap(inputs.values) ? [inputs.values] : [])];
  return { ...inputs, values: layers.reduce<PropertyMap>(merged, {}) };
}

function valuesIn(asset: Value): PropertyMap {
  const { text, path } = asset instanceof Asset ? asset.wire : {};
  const yaml = typeof text === "string" && text !== "" ? text : typeof path === "string" ? contents(path) : undefined;
  if (yaml === undefined) {
    throw new RequestError("valueYamlFiles takes file and string assets");
  }
  const values: unknown = parse(yaml) ?? {};
  if (!isMap(values as Value)) {
    throw new RequestError(`valueYamlFiles: ${typeof path === "string" ? path : "an asset"} holds no map`);
  }
  return values as PropertyMap;
}

function contents(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new RequestError(`valueYamlFiles: ${(error as Error).message}`);
  }
}

/** Maps are merged at every depth, anything else is replaced. */
function merged(below: PropertyMap, above: PropertyMap): PropertyMap {
  const result = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = result[key];
    result[key] = isMap(value) && isMap(under) ? merged(under, value) : value;
  }
  return result;
}

/** What names the chart, for `helm show`, `install` and `upgrade`. */
export function chartArguments({ chart, version, repositoryOpts, devel }: Omit<ReleaseInputs, "name" | "namespace">) {
  const { repo, caFile, certFile, keyFile } = repositoryOpts ?? {};
  const flag = (name: string, value: string | undefined) => (value ? [name, value] : []);
  return [
    chart,
    ...flag("--repo", repo),
    ...flag("--ca-file", caFile),
    ...flag("--cert-file", certFile),
    ...flag("--key-file", keyFile),
    // a folder or an archive has one version, and helm would look for another one elsewhere
    ...(repo || !existsSync(chart) ? flag("--version", version) : []),
    ...(devel ? ["--devel"] : []),
  ];
}

/** `helm install` or `helm upgrade` with all but the values, which go by stdin. */
export function releaseArguments(action: "install" | "upgrade", release: ReleaseInputs, owner: string): string[] {
  type Flag = readonly [on: boolean | undefined, flag: string];
  const both: readonly Flag[] = [
    [release.atomic, "--rollback-on-failure"],
    [release.disableOpenapiValidation, "--disable-openapi-validation"],
    [release.takeOwnership, "--take-ownership"],
    [release.renderSubchartNotes, "--render-subchart-notes"],
  ];
  const own: Readonly<Record<typeof action, readonly Flag[]>> = {
    install: [
      [release.createNamespace, "--create-namespace"],
      [release.skipCrds, "--skip-crds"],
    ],
    upgrade: [
      [release.cleanupOnFail, "--cleanup-on-fail"],
      [release.resetValues, "--reset-values"],
      [release.reuseValues && !release.resetValues, "--reuse-values"],
    ],
  };
  const flags = [...both, ...own[action]];
  return [
    ...[action, release.name, ...chartArguments(release)],
    ...["--namespace", release.namespace, "--values", "-", "--output", "json"],
    // As Helm 3 does it, which is in the official plugin: patches made here, ready at desired minus maxUnavailable.
    "--server-side=false",
    ...(release.skipAwait && !release.atomic ? [] : ["--wait=legacy"]),
    ...(release.waitForJobs && !release.skipAwait ? ["--wait-for-jobs"] : []),
    ...["--timeout", `${release.timeout ?? defaultReleaseTimeout}s`],
    ...(action === "upgrade" ? ["--history-max", String(release.maxHistory ?? 0)] : []),
    ...(release.description ? ["--description", release.description] : []),
    ...["--labels", owner],
    ...flags.filter(([on]) => on).map(([, flag]) => flag),
  ];
}

/** Seconds. */
export const defaultReleaseTimeout = 300;
