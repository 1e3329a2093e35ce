import { type CheckResult, type DiffKind, type DiffResult, RequestError } from "../plugin/provider.ts";
import { equal, type PropertyMap, reveal, Unknown, type Value } from "../plugin/values.ts";
import { otherCluster } from "./kubeconfig.ts";

/** The settings of an explicit provider, with what the environment adds. */
export interface ProviderSettings {
  /** Path or contents; without it the files of the user's own, which then need a `context`. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Where namespaced objects go that name no namespace; default: what the context says, else `default`. */
  readonly namespace?: string;
  /** Change the contents of a Secret in place instead of replacing it. */
  readonly enableSecretMutable: boolean;
  readonly enableConfigMapMutable: boolean;
  /** Take over the fields that others manage. */
  readonly enablePatchForce: boolean;
  /** Let a create take over an object that exists. */
  readonly upsertExistingObjects: boolean;
  /** Take objects for deleted while the cluster does not answer. */
  readonly deleteUnreachable: boolean;
  /** Leave objects as the state has them while the cluster does not answer. */
  readonly skipUpdateUnreachable: boolean;
}

type Flag = { [K in keyof ProviderSettings]: ProviderSettings[K] extends boolean ? K : never }[keyof ProviderSettings] &
  string;

/** Each flag with the environment variable that sets it where the program does not. */
const flags: Readonly<Record<Flag, string>> = {
  enableSecretMutable: "PULUMI_K8S_ENABLE_SECRET_MUTABLE",
  enableConfigMapMutable: "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE",
  enablePatchForce: "PULUMI_K8S_ENABLE_PATCH_FORCE",
  upsertExistingObjects: "PULUMI_K8S_UPSERT_EXISTING_OBJECTS",
  deleteUnreachable: "PULUMI_K8S_DELETE_UNREACHABLE",
  skipUpdateUnreachable: "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE",
};

/** What the engine or the SDK sends beside, and what would only silence warnings that are never given here. */
const without = ["version", "pluginDownloadURL", "suppressDeprecationWarnings", "suppressHelmHookWarnings"];

const known: ReadonlySet<string> = new Set([
  ...["kubeconfig", "context", "namespace", "clusterIdentifier", "enableServerSideApply"],
  ...Object.keys(flags),
  ...without,
]);

/** Refuses what this stand-in would ignore: the result could be another cluster than the one asked for. */
export function checkSettings(news: PropertyMap): CheckResult {
  const refused = Object.entries(news).filter(
    ([property, value]) => !known.has(property) && ![null, false, "false", ""].some((off) => equal(value, off)),
  );
  const failures = refused.map(([property]) => ({
    property,
    reason: `the stand-in for the kubernetes plugin does not know the provider setting ${property}; the official plugin does`,
  }));
  if (flagOf(news.enableServerSideApply) === false) {
    failures.push({
      property: "enableServerSideApply",
      reason: "the stand-in for the kubernetes plugin applies server-side only; leave enableServerSideApply out",
    });
  }
  return { inputs: news, failures };
}

/**
 * What a change of settings means. Where both sides have a `clusterIdentifier` it alone decides whether this is another
 * cluster (pulumi-kubernetes#2745); else the kubeconfigs do. What is not known yet counts as another cluster.
 */
export function diffSettings(olds: PropertyMap, news: PropertyMap): DiffResult {
  const unknown = ["kubeconfig", "context"].find((property) => reveal(news[property] ?? null) instanceof Unknown);
  if (unknown !== undefined) {
    return { detailed: { [unknown]: "update-replace" } };
  }
  const [before, after] = [text(olds.clusterIdentifier), text(news.clusterIdentifier)];
  const replace =
    before !== undefined && after !== undefined
      ? before !== after
      : otherCluster(connection(olds), connection(news)) || reveal(news.clusterIdentifier ?? null) instanceof Unknown;
  const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
    (property) => !equal(olds[property] ?? null, news[property] ?? null),
  );
  const kind: DiffKind = replace ? "update-replace" : "update";
  return { detailed: Object.fromEntries(changed.map((property) => [property, kind])) };
}

/** Reads settings that are all known. */
export function readSettings(inputs: PropertyMap, environment: NodeJS.ProcessEnv): ProviderSettings {
  const set = (flag: Flag) => flagOf(inputs[flag]) ?? environment[flags[flag]] === "true";
  const namespace = text(inputs.namespace);
  const settings = { ...connection(inputs), ...(namespace === undefined ? {} : { namespace }) };
  if (settings.kubeconfig === undefined && settings.context === undefined) {
    throw new RequestError(
      "this provider names no cluster: neither kubeconfig nor context is given. " +
        "The official kubernetes plugin would take the current context of your own kubeconfig; its stand-in never does",
    );
  }
  return {
    ...settings,
    ...(Object.fromEntries((Object.keys(flags) as Flag[]).map((flag) => [flag, set(flag)])) as Record<Flag, boolean>),
  };
}

function connection(inputs: PropertyMap): { kubeconfig?: string; context?: string } {
  const [kubeconfig, context] = [text(inputs.kubeconfig), text(inputs.context)];
  return { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(context === undefined ? {} : { context }) };
}

function text(marked: Value | undefined): string | undefined {
  const value = reveal(marked ?? null);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The SDK sends flags as the text `true` or `false`. */
function flagOf(marked: Value | undefined): boolean | undefined {
  const value = reveal(marked ?? null);
  return value === true || value === "true" ? true : value === false || value === "false" ? false : undefined;
}
