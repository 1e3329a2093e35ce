import { type Context, RequestError } from "../plugin/provider.ts";
import type { PropertyMap } from "../plugin/values.ts";
import type { Cluster } from "./cluster.ts";
import { type Ended, helm, helmError, isUnreachable } from "./helm.ts";
import { defaultReleaseTimeout, type ReleaseInputs, releaseArguments } from "./releaseInputs.ts";
import { ownerLabel, ownerOf } from "./releaseOwner.ts";
import { parseMetadata, parseRelease, type ReleaseStatus, type Standing } from "./releaseRecord.ts";
import { UnreachableError } from "./unreachable.ts";
import { unreadyParts } from "./unready.ts";

/** What an install or upgrade left in the cluster. */
export interface Outcome {
  readonly status: ReleaseStatus;
  readonly manifest: string;
  /** Why the release that stands is not what it should be. */
  readonly trouble?: string;
}

/** One release in one cluster, and what helm does with it. Every error names the release. */
export class HelmRelease {
  /** The resource's id. */
  readonly id: string;
  readonly #cluster: Cluster;
  readonly #inputs: ReleaseInputs;
  readonly #urn: string;

  constructor(cluster: Cluster, inputs: ReleaseInputs, urn: string) {
    this.#cluster = cluster;
    this.#inputs = inputs;
    this.#urn = urn;
    this.id = `${inputs.namespace}/${inputs.name}`;
  }

  /**
   * Installs. One that a killed run of this very resource left half made is taken up (with the official plugin its name
   * stays taken, pulumi-kubernetes#2758).
   */
  async install(context: Context): Promise<Outcome> {
    const ended = await this.#run("install", context);
    if (!/cannot re-?use a name that is still in use/.test(ended.stderr)) {
      return this.#outcome(ended);
    }
    const standing = await this.#standing();
    const owner = ownerOf(standing?.labels ?? {}, this.#urn);
    const leftOver = standing !== undefined && standing.status.revision === 1 && standing.status.status !== "deployed";
    if (!leftOver || !owner?.sameResource || owner.alive !== false) {
      throw this.#error(ended);
    }
    context.log(
      "info",
      `release ${this.id} is ${standing.status.status}: a run that was cut short left it; taking it up`,
    );
    return this.#takeUp(standing, context);
  }

  /** Upgrades. A change that a killed run left under way is taken up, once nobody works on it any more. */
  async upgrade(context: Context): Promise<Outcome> {
    const ended = await this.#run("upgrade", context);
    if (!/another operation .* is in progress/.test(ended.stderr)) {
      return this.#outcome(ended);
    }
    const standing = await this.#standing();
    if (standing === undefined || !this.#isAbandoned(standing)) {
      throw this.#error(ended);
    }
    context.log(
      "info",
      `release ${this.id} is ${standing.status.status}: a run that was cut short left it; taking it up`,
    );
    return this.#takeUp(standing, context);
  }

  /** What stands in the cluster; `undefined` when nothing does. */
  async read(): Promise<{ standing: Standing; values: PropertyMap; manifest: string } | undefined> {
    const [standing, values, manifest] = await Promise.all([
      this.#standing(),
      this.#get(["values", "--output", "json"]),
      this.#get(["manifest"]),
    ]);
    if (standing === undefined || values === undefined) {
      return undefined;
    }
    return { standing, values: (JSON.parse(values) ?? {}) as PropertyMap, manifest: manifest ?? "" };
  }

  /** Uninstalls, and waits as the install did. One that is gone is fine. */
  async uninstall(context: Context): Promise<void> {
    const { skipAwait, atomic } = this.#inputs;
    await this.#uninstall(skipAwait && !atomic ? [] : ["--wait=legacy", ...this.#timeout()], context);
  }

  async #uninstall(wait: readonly string[], { signal }: Context): Promise<void> {
    const { name, namespace } = this.#inputs;
    const args = ["uninstall", name, "--namespace", namespace, "--ignore-not-found", ...wait];
    const ended = await helm(args, { settings: this.#cluster.settings, signal });
    if (ended.code !== 0) {
      throw this.#error(ended);
    }
  }

  #timeout(): string[] {
    return ["--timeout", `${this.#inputs.timeout ?? defaultReleaseTimeout}s`];
  }

  async #run(action: "install" | "upgrade", { signal }: Context): Promise<Ended> {
    const args = releaseArguments(action, this.#inputs, ownerLabel(this.#urn));
    const stdin = JSON.stringify(this.#inputs.values ?? {}); // JSON is YAML
    return helm(args, { settings: this.#cluster.settings, stdin, signal });
  }

  /** What helm reported; after a failure what it left. Throws when it left nothing. */
  async #outcome(ended: Ended): Promise<Outcome> {
    if (ended.code === 0) {
      return parseRelease(ended.stdout);
    }
    const standing = isUnreachable(ended) ? undefined : await this.#standing();
    if (standing === undefined || standing.status.status === "deployed") {
      throw this.#error(ended); // nothing came of it: what stood before stands still
    }
    const waited = /timed? ?out|deadline|not ready|condition/i.test(ended.stderr);
    const causes = waited ? await unreadyParts(this.#cluster, this.#inputs) : [];
    const trouble = [`release ${this.id} failed: ${helmError(ended)}`, ...causes].join("\n  ");
    return { status: standing.status, manifest: (await this.#get(["manifest"])) ?? "", trouble };
  }

  /**
   * Goes on where a run was cut short. helm refuses all work on a pending release but to roll it back or uninstall it;
   * both know what the cut run had applied, so nothing of it stays.
   */
  async #takeUp({ status }: Standing, context: Context): Promise<Outcome> {
    if (!status.status.startsWith("pending-")) {
      return this.#outcome(await this.#run("upgrade", context));
    }
    if (status.revision === 1) {
      await this.#uninstall(["--wait=legacy", ...this.#timeout()], context);
      return this.#outcome(await this.#run("install", context));
    }
    const { name, namespace } = this.#inputs;
    const args = ["rollback", name, "--namespace", namespace, ...this.#timeout()];
    const ended = await helm(args, { settings: this.#cluster.settings, signal: context.signal });
    return ended.code === 0 ? this.#outcome(await this.#run("upgrade", context)) : this.#outcome(ended);
  }

  /** Whether nobody can be at work on a pending release: its owner is gone, or has had more than its time. */
  #isAbandoned({ status, labels, changedAt }: Standing): boolean {
    const owner = ownerOf(labels, this.#urn);
    const overdue = Date.now() - changedAt > 1000 * (this.#inputs.timeout ?? defaultReleaseTimeout);
    return status.status.startsWith("pending-") && (owner?.alive === undefined ? overdue : !owner.alive);
  }

  async #standing(): Promise<Standing | undefined> {
    const metadata = await this.#get(["metadata", "--output", "json"]);
    return metadata === undefined ? undefined : parseMetadata(metadata);
  }

  /** One of `helm get`'s answers; `undefined` when there is no such release. */
  async #get([what = "", ...flags]: readonly string[]): Promise<string | undefined> {
    const { name, namespace } = this.#inputs;
    const args = ["get", what, name, "--namespace", namespace, ...flags];
    const ended = await helm(args, { settings: this.#cluster.settings });
    if (ended.code === 0) {
      return ended.stdout;
    }
    if (/release: not found/.test(ended.stderr)) {
      return undefined;
    }
    throw this.#error(ended);
  }

  #error(ended: Ended): RequestError {
    return isUnreachable(ended)
      ? new UnreachableError(helmError(ended))
      : new RequestError(`release ${this.id}: ${helmError(ended)}`);
  }
}
