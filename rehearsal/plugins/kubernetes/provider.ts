import { type Provider, RequestError } from "../plugin/provider.ts";
import { Cluster } from "./cluster.ts";
import { ObjectResource } from "./object.ts";
import { isBuiltIn } from "./objectInputs.ts";
import { checkSettings, diffSettings, readSettings } from "./providerSettings.ts";
import { ReleaseResource } from "./release.ts";

/** The one of the provider that this process serves; the engine asks for nothing before its settings are all known. */
let cluster: Cluster | undefined;

/**
 * Stands in for pulumi-resource-kubernetes where it cannot be had: plain kinds by server-side apply, `helm.v3.Release`
 * by the helm binary.
 */
export const kubernetes: Provider = {
  name: "kubernetes",
  version: "4.34.2",

  resource(type) {
    const [, apiVersion, kind] = /^kubernetes:([\w.-]+\/v\w+):([A-Z]\w*)$/.exec(type) ?? [];
    const isRelease = type === "kubernetes:helm.sh/v3:Release";
    if (!isRelease && (apiVersion === undefined || kind === undefined || !isPlainKind(apiVersion, kind))) {
      throw new RequestError(
        `the stand-in for the kubernetes plugin knows plain kinds and helm.v3.Release; the program asks for ${type}, ` +
          "which takes the official plugin",
      );
    }
    if (cluster === undefined) {
      throw new RequestError(`${type}: the provider has no settings yet`);
    }
    return isRelease ? new ReleaseResource(cluster) : new ObjectResource(cluster, groupOf(apiVersion), kind ?? "");
  },

  checkConfig: ({ news }) => checkSettings(news),

  diffConfig: ({ oldInputs, news }) => diffSettings(oldInputs, news),

  configure(inputs) {
    cluster = new Cluster(readSettings(inputs, process.env));
  },
};

/** Neither one of the SDK's own components and helpers, nor a patch or a list of a built-in kind. */
function isPlainKind(apiVersion: string, kind: string): boolean {
  return !/^(helm\.sh|yaml|kustomize)\//.test(apiVersion) && !(isBuiltIn(apiVersion) && /(Patch|List)$/.test(kind));
}

/** `core/v1` is `v1` on the wire. */
function groupOf(apiVersion = ""): string {
  return apiVersion.replace(/^core\//, "");
}
