import { detailedDiff } from "../plugin/diff.ts";
import {
  type CheckFailure,
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
  RequestError,
  type Resource,
  type UpdateRequest,
} from "../plugin/provider.ts";
import { equal, hasUnknown, isMap, type PropertyMap, reveal, revealMap, unknown } from "../plugin/values.ts";
import { notReady } from "./awaiting.ts";
import type { Cluster } from "./cluster.ts";
import { helm, helmError, helmOffline } from "./helm.ts";
import { chartArguments, type ReleaseInputs, unsupported, upgradeArguments } from "./releaseArguments.ts";

/** `helm.v3.Release` through the helm binary. */
export class HelmRelease implements Resource {
  private readonly cluster: Cluster | undefined;

  constructor(cluster: Cluster | undefined) {
    this.cluster = cluster;
  }

  async check({ name, olds, news, randomSeed }: CheckRequest, { signal }: Context): Promise<CheckResult> {
    const made = reveal(olds.name ?? null) ?? `${name}-${Buffer.from(randomSeed).toString("hex").slice(0, 8)}`;
    const inputs: PropertyMap = { ...news, name: news.name ?? made, namespace: news.namespace ?? "default" };
    const failures: CheckFailure[] = unsupported(revealMap(news));
    if (news.chart === undefined) failures.push({ property: "chart", reason: "chart is missing" });
    // As the official plugin: the chart is resolved at preview, unless something is unknown still.
    if (failures.length > 0 || hasUnknown(news)) return { inputs, failures };
    const shown = await helmOffline(["show", "chart", ...chartArguments(said(inputs))], signal);
    if (shown.code !== 0) return { inputs, failures: [{ property: "chart", reason: helmError(shown) }] };
    const version = /^version:\s*"?([^"\s]+)"?\s*$/m.exec(shown.stdout)?.[1];
    return { inputs: { ...inputs, ...(version !== undefined && { version }) } };
  }

  /** Only the name and the namespace replace; and not before the new one is there, as the official plugin has it. */
  diff({ oldInputs, news, ignoreChanges }: DiffRequest): DiffResult {
    const kept = ignoreChanges.includes("version") ? { version: oldInputs.version ?? null } : {};
    return {
      detailed: detailedDiff(oldInputs, { ...news, ...kept }, (property) => ["name", "namespace"].includes(property)),
    };
  }

  async create({ inputs, preview, timeout }: CreateRequest, context: Context): Promise<Created> {
    if (preview || hasUnknown(inputs)) return { id: "", outputs: { ...inputs, status: unknown } };
    const { name, namespace } = said(inputs);
    const standing = await this.status(inputs, context.signal);
    // The official plugin installs only; a release that a killed run left behind is taken up here (pulumi-kubernetes#2758).
    if (standing?.status === "deployed")
      throw new RequestError(`release ${namespace}/${name}: cannot re-use a name that is still in use`);
    return { id: `${namespace}/${name}`, outputs: await this.upgrade(inputs, timeout, context) };
  }

  async update({ news, preview, timeout }: UpdateRequest, context: Context): Promise<PropertyMap> {
    if (preview || hasUnknown(news)) return { ...news, status: unknown };
    return this.upgrade(news, timeout, context);
  }

  async read({ id, inputs, outputs }: ReadRequest, { signal }: Context): Promise<ReadResult | undefined> {
    const [namespace = "default", name = ""] = id.split("/");
    const identified = { ...inputs, name, namespace };
    const status = await this.status(identified, signal);
    if (!status) return undefined;
    const shown = await helm(this.connected(), ["get", "values", name, "-n", namespace, "-o", "json"], signal);
    if (shown.code !== 0) throw new RequestError(`release ${id}: ${helmError(shown)}`);
    const values = (JSON.parse(shown.stdout) ?? {}) as PropertyMap;
    // The same values keep the marks of what is secret in them.
    const drifted = isMap(inputs.values) && equal(inputs.values, values) ? inputs.values : values;
    const live = { ...identified, values: drifted, version: status.version };
    return { id, inputs: live, outputs: { ...outputs, ...live, status: { ...status } } };
  }

  async delete({ outputs, timeout }: DeleteRequest, { signal }: Context): Promise<void> {
    const { name, namespace } = said(outputs);
    const wait = ["--wait", "--timeout", `${timeout || said(outputs).timeout || 300}s`];
    const ended = await helm(
      this.connected(),
      ["uninstall", name, "-n", namespace, "--ignore-not-found", ...wait],
      signal,
    );
    if (ended.code !== 0) throw new RequestError(`release ${namespace}/${name}: ${helmError(ended)}`);
  }

  /** Installs or upgrades. A release that stands but failed is told as such, so that the state keeps it and the next update mends it. */
  private async upgrade(inputs: PropertyMap, timeout: number, { signal, log }: Context): Promise<PropertyMap> {
    const release = said(inputs);
    const { name, namespace } = release;
    await this.clearPending(inputs, signal, log);
    const args = upgradeArguments({ ...release, timeout: timeout || release.timeout || 300 });
    const ended = await helm(this.connected(), args, signal, JSON.stringify(release.values ?? {}));
    const status = await this.status(inputs, signal);
    if (ended.code !== 0) {
      const unready = await this.unready(namespace, name);
      const reason = [`release ${namespace}/${name}: ${helmError(ended)}`, ...unready].join("; ");
      if (!status) throw new RequestError(reason);
      throw new PartialFailure(`${namespace}/${name}`, inputs, { ...inputs, status: { ...status } }, [reason]);
    }
    return { ...inputs, status: { ...(status ?? {}) } };
  }

  /** A helm that was killed leaves its release pending, and every later one would refuse to touch it. */
  private async clearPending(inputs: PropertyMap, signal: AbortSignal, log: Context["log"]): Promise<void> {
    const status = await this.status(inputs, signal);
    if (!status?.status.startsWith("pending-")) return;
    const { name, namespace } = said(inputs);
    log("warning", `release ${namespace}/${name} is ${status.status}: a killed run left it; taking it up`);
    const args = status.revision > 1 ? ["rollback", name, String(status.revision - 1)] : ["uninstall", name, "--wait"];
    const ended = await helm(this.connected(), [...args, "-n", namespace], signal);
    if (ended.code !== 0)
      throw new RequestError(`release ${namespace}/${name} is ${status.status}: ${helmError(ended)}`);
  }

  private async status(inputs: PropertyMap, signal: AbortSignal): Promise<ReleaseStatus | undefined> {
    const { name, namespace } = said(inputs);
    const ended = await helm(this.connected(), ["get", "metadata", name, "-n", namespace, "-o", "json"], signal);
    if (ended.code !== 0) {
      if (/release: not found/.test(ended.stderr)) return undefined;
      throw new RequestError(`release ${namespace}/${name}: ${helmError(ended)}`);
    }
    const metadata = JSON.parse(ended.stdout) as ReleaseStatus;
    const { appVersion, chart, revision, status, version } = metadata;
    return { appVersion, chart, name, namespace, revision, status, version };
  }

  /** What of a release is not ready, a line each: the cause that helm's own timeout does not name. */
  private async unready(namespace: string, release: string): Promise<string[]> {
    const kinds = ["DaemonSet", "Deployment"];
    const lists = await Promise.all(
      kinds.map((kind) =>
        this.connected()
          .list("apps/v1", kind, namespace)
          .catch(() => []),
      ),
    );
    return lists.flatMap((objects, index) =>
      objects
        .filter(({ metadata }) => metadata?.annotations?.["meta.helm.sh/release-name"] === release)
        .flatMap((object) => {
          const kind = kinds[index] ?? "";
          const reason = notReady(kind, object as Parameters<typeof notReady>[1]);
          return reason ? [`${kind} ${object.metadata?.name}: ${reason}`] : [];
        }),
    );
  }

  private connected(): Cluster {
    if (this.cluster) return this.cluster;
    throw new RequestError("the cluster is not known yet");
  }
}

/** The output `status` of a release, as the official plugin names its parts. */
interface ReleaseStatus extends PropertyMap {
  appVersion: string;
  chart: string;
  name: string;
  namespace: string;
  revision: number;
  status: string;
  version: string;
}

function said(inputs: PropertyMap): ReleaseInputs {
  return revealMap(inputs) as unknown as ReleaseInputs;
}
