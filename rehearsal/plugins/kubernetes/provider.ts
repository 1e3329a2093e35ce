import { detailedDiff } from "../plugin/diff.ts";
import { type Provider, RequestError } from "../plugin/provider.ts";
import { type PropertyMap, reveal } from "../plugin/values.ts";
import { Cluster } from "./cluster.ts";
import { KubernetesObject } from "./object.ts";
import { HelmRelease } from "./release.ts";

/** The provider settings that this stand-in obeys. Any other is refused: ignoring one could leave a cluster other than asked for. */
const SETTINGS = new Set([
  "kubeconfig",
  "context",
  "clusterIdentifier",
  "enableSecretMutable",
  "enableConfigMapMutable",
  "enableServerSideApply",
  "upsertExistingObjects",
  "deleteUnreachable",
]);

/** Undefined until `Configure`; the engine leaves that out while a setting is unknown, and then only previews. */
let cluster: Cluster | undefined;

/** Stands in for pulumi-resource-kubernetes where it cannot be had: plain kinds by server-side apply, and `helm.v3.Release` by the helm binary. */
export const kubernetes: Provider = {
  name: "kubernetes",
  version: "4.34.2",

  resource(type) {
    if (type === "kubernetes:helm.sh/v3:Release") return new HelmRelease(cluster);
    const [, apiVersion, kind] = /^kubernetes:([\w.-]+\/v\w+):([A-Z]\w*)$/.exec(type) ?? [];
    const componentLike =
      /^(helm\.sh|yaml|kustomize)\//.test(apiVersion ?? "") || kind?.endsWith("Patch") || kind?.endsWith("List");
    if (apiVersion === undefined || kind === undefined || componentLike) {
      throw new RequestError(
        `the stand-in for kubernetes knows plain kinds and helm.v3.Release only; the program asks for ${type}`,
      );
    }
    return new KubernetesObject(cluster, apiVersion.replace(/^core\//, ""), kind);
  },

  checkConfig({ news }) {
    const unknown = Object.keys(news).filter((setting) => setting !== "version" && !SETTINGS.has(setting));
    return {
      inputs: news,
      failures: unknown.map((property) => ({
        property,
        reason: `the stand-in for kubernetes does not know ${property}`,
      })),
    };
  },

  /** A kubeconfig may change (a renewed certificate) while the cluster stays: what `clusterIdentifier` says is what counts (pulumi-kubernetes#2745). */
  diffConfig({ oldInputs, news }) {
    const identified = "clusterIdentifier" in news && "clusterIdentifier" in oldInputs;
    const identity = identified ? ["clusterIdentifier"] : ["kubeconfig", "context", "clusterIdentifier"];
    return { detailed: detailedDiff(oldInputs, news, (property) => identity.includes(property)) };
  },

  configure(inputs) {
    const kubeconfig = text(inputs, "kubeconfig");
    // The official plugin would fall back to the user's own kubeconfig; a stand-in has no business there.
    if (!kubeconfig)
      throw new RequestError("the stand-in for kubernetes needs a kubeconfig: it never uses the ambient one");
    cluster = new Cluster({
      kubeconfig,
      context: text(inputs, "context"),
      secretMutable: flag(inputs, "enableSecretMutable"),
      configMapMutable: flag(inputs, "enableConfigMapMutable"),
      upsert: flag(inputs, "upsertExistingObjects"),
      deleteUnreachable: flag(inputs, "deleteUnreachable"),
    });
  },
};

function text(inputs: PropertyMap, name: string): string | undefined {
  const value = reveal(inputs[name] ?? null);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Provider settings come as the text `true` or `false`. */
function flag(inputs: PropertyMap, name: string): boolean {
  const value = reveal(inputs[name] ?? null);
  return value === true || value === "true";
}
