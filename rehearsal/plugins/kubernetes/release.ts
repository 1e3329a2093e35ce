import { parse } from "yaml";
import { detailedDiff } from "../plugin/diff.ts";
import {
  type CheckRequest,
  type CheckResult,
  type Context,
  type Created,
  type CreateRequest,
  type DeleteRequest,
  type DiffRequest,
  type DiffResult,
  PartialFailure,
  type ReadRequest,
  type ReadResult,
  type Resource,
  type UpdateRequest,
} from "../plugin/provider.ts";
import {
  equal,
  hasSecret,
  hasUnknown,
  isMap,
  type PropertyMap,
  reveal,
  revealMap,
  Secret,
  unknown,
  type Value,
} from "../plugin/values.ts";
import type { Cluster } from "./cluster.ts";
import { helm, helmError } from "./helm.ts";
import { HelmRelease, type Outcome } from "./helmRelease.ts";
import { notes, suffix } from "./objectInputs.ts";
import {
  chartArguments,
  defaultReleaseTimeout,
  type ReleaseInputs,
  releaseFailures,
  withValueFiles,
} from "./releaseInputs.ts";
import { resourceNames } from "./releaseRecord.ts";
import { markedLike } from "./secrecy.ts";
import { UnreachableError } from "./unreachable.ts";

/** Properties of a release's inputs that no change of the program is behind. */
const noInputs: readonly string[] = ["compat", "resourceNames", "status", "manifest", "checksum", notes.inputs];

/** `helm.v3.Release` through the helm binary. */
export class ReleaseResource implements Resource {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async check({ name, olds, news, randomSeed }: CheckRequest, { signal }: Context): Promise<CheckResult> {
    const given = (property: string) => (news[property] ?? "") !== "";
    const placed: PropertyMap = {
      ...news,
      name: given("name") ? (news.name ?? null) : (olds.name ?? `${name}-${suffix(randomSeed)}`),
      namespace: given("namespace") ? (news.namespace ?? null) : await this.#cluster.defaultNamespace(),
      ...(reveal(news.skipAwait ?? null) === true || given("timeout") ? {} : { timeout: defaultReleaseTimeout }),
    };
    const failures = releaseFailures(placed);
    if (failures.length > 0 || hasUnknown(placed)) {
      return { inputs: placed, failures };
    }
    const inputs = withValueFiles(placed);
    // Resolved before the update, so that a chart that is not there stops it.
    const shown = await helm(["show", "chart", ...chartArguments(releaseIn(inputs))], { signal });
    if (shown.code !== 0) {
      const reason = `${helmError(shown)}; check the chart name and repository configuration`;
      return { inputs, failures: [{ property: "chart", reason }] };
    }
    return { inputs: { ...inputs, version: String((parse(shown.stdout) as { version?: string }).version ?? "") } };
  }

  diff({ oldInputs, news }: DiffRequest): DiffResult {
    // The new one is made first: a fixed name in the same namespace fails then, as with the official plugin.
    return {
      detailed: detailedDiff(withoutNoInputs(oldInputs), withoutNoInputs(news), (property) =>
        ["name", "namespace"].includes(property),
      ),
    };
  }

  async create({ urn, inputs, preview }: CreateRequest, context: Context): Promise<Created> {
    if (preview) {
      return { id: "", outputs: notYet(inputs) };
    }
    const release = this.#release(inputs, urn);
    const outcome = await release.install(context);
    return { id: release.id, outputs: this.#settled(release, inputs, outcome) };
  }

  async update({ urn, news, preview }: UpdateRequest, context: Context): Promise<PropertyMap> {
    if (preview) {
      return notYet(news);
    }
    const release = this.#release(news, urn);
    return this.#settled(release, news, await release.upgrade(context));
  }

  async read({ urn, id, inputs, outputs }: ReadRequest, context: Context): Promise<ReadResult | undefined> {
    const [name = "", namespace = await this.#cluster.defaultNamespace()] = id.split("/").reverse();
    const release = this.#release({ ...inputs, name, namespace }, urn);
    const found = await release.read().catch((error: unknown) => {
      const { deleteUnreachable, skipUpdateUnreachable } = this.#cluster.settings;
      if (!(error instanceof UnreachableError && (deleteUnreachable || skipUpdateUnreachable))) {
        throw error;
      }
      context.log("warning", error.message);
      return deleteUnreachable ? undefined : "as it was";
    });
    if (found === "as it was") {
      return { id, inputs, outputs };
    }
    if (found === undefined) {
      return undefined;
    }
    const { status } = found.standing;
    const said = inputs.values ?? null;
    const imported = Object.keys(inputs).length === 0;
    const live: PropertyMap = {
      ...(imported ? { chart: status.chart, timeout: defaultReleaseTimeout } : inputs),
      ...{ name, namespace, version: status.version },
    };
    if (!equal(withoutNulls(said === null ? {} : said), withoutNulls(found.values))) {
      live.values = isMap(said)
        ? markedLike(found.values, said)
        : hasSecret(said)
          ? new Secret(found.values)
          : found.values;
    }
    return { id, inputs: live, outputs: outputsOf(live, status, resourceNames(found.manifest)) };
  }

  async delete({ urn, id, outputs }: DeleteRequest, context: Context): Promise<void> {
    const [name = "", namespace = "default"] = id.split("/").reverse();
    await this.#release({ ...outputs, name, namespace }, urn).uninstall(context);
  }

  #release(inputs: PropertyMap, urn: string): HelmRelease {
    return new HelmRelease(this.#cluster, releaseIn(inputs), urn);
  }

  /** The outputs; or, for a release that stands but failed, the error that makes the state keep it for the next update. */
  #settled(release: HelmRelease, inputs: PropertyMap, { status, manifest, trouble }: Outcome): PropertyMap {
    const outputs = outputsOf(inputs, status, resourceNames(manifest));
    if (trouble !== undefined) {
      throw new PartialFailure(release.id, inputs, outputs, [trouble]);
    }
    return outputs;
  }
}

function notYet(inputs: PropertyMap): PropertyMap {
  return { ...inputs, status: unknown, resourceNames: unknown };
}

function outputsOf(inputs: PropertyMap, status: PropertyMap, names: Record<string, string[]>): PropertyMap {
  // as the official plugin keeps it, so that it can take over; its inputs are secret as a whole
  return { ...inputs, status, resourceNames: names, [notes.inputs]: new Secret(inputs) };
}

function withoutNoInputs(inputs: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(inputs).filter(([property]) => !noInputs.includes(property)));
}

function releaseIn(inputs: PropertyMap): ReleaseInputs {
  const given = Object.entries(revealMap(inputs)).filter(([, value]) => value !== null);
  return Object.fromEntries(given) as unknown as ReleaseInputs;
}

/** helm forgets nulls that delete nothing. */
function withoutNulls(value: Value): Value {
  const plain = reveal(value);
  if (!isMap(plain)) {
    return plain;
  }
  const kept = Object.entries(plain).filter(([, inner]) => reveal(inner) !== null);
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutNulls(inner)]));
}
