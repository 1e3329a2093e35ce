import type { V1ConfigMap, V1DaemonSet, V1Secret } from "@kubernetes/client-node";
import { resourcesOfManifest } from "../../policies/manifest.ts";
import { type Resource, UnreadError } from "../../policies/resource.ts";
import { type CiliumNodeConfig, RefusedError } from "../../prover/clusterApi.ts";
import { withoutKeys } from "./keyShape.ts";
import type { Reading } from "./reading.ts";

/** What an audit asks of a cluster: reads alone. Each throws a RefusedError where the API says no. */
export interface AuditApi {
  configMap(name: string): Promise<V1ConfigMap | null>;
  ciliumNodeConfigs(): Promise<CiliumNodeConfig[]>;
  /** Of all namespaces. */
  daemonSets(): Promise<V1DaemonSet[]>;
  secret(name: string): Promise<V1Secret | null>;
}

/** Everything in a cluster that the rules judge. */
export async function readCluster(api: AuditApi, of: string): Promise<Reading> {
  const [config, record, daemonSets, nodeConfigs] = await Promise.all([
    api.configMap("cilium-config"),
    api.configMap("wirecloak-record"),
    orRefusal(api.daemonSets()),
    orRefusal(api.ciliumNodeConfigs()),
  ]);
  const unread: string[] = [];
  const read = <T>(answer: T[] | RefusedError): T[] => {
    if (!(answer instanceof RefusedError)) return answer;
    unread.push(answer.message);
    return [];
  };
  const all = read(daemonSets);
  const name = keysSecret(all) ?? (config?.data?.["enable-ipsec"] === "true" ? "cilium-ipsec-keys" : undefined);
  const resources = [
    ...[config, record].flatMap((each) => resource("v1", "ConfigMap", each)),
    ...all.flatMap((each) => resource("apps/v1", "DaemonSet", each)),
    ...read(nodeConfigs).flatMap((each) => resource("cilium.io/v2", "CiliumNodeConfig", each)),
    ...(name === undefined ? [] : await secretIn(api, name)),
  ];
  return { source: { kind: "cluster", of }, resources, unread };
}

/** The Secret that the agents mount; undefined where they mount none, as in WireGuard mode. */
function keysSecret(daemonSets: readonly V1DaemonSet[]): string | undefined {
  const volumes = daemonSets.flatMap(({ spec }) => spec?.template.spec?.volumes ?? []);
  return volumes.find(({ name }) => name === "cilium-ipsec-secrets")?.secret?.secretName;
}

/** Its key is forgotten right here: what goes on is a shape. One that may not be read makes the rules of keys undecided. */
async function secretIn(api: AuditApi, name: string): Promise<Resource[]> {
  const secret = await orRefusal(api.secret(name));
  if (!(secret instanceof RefusedError)) return resource("v1", "Secret", secret).map(withoutKeys);
  const props = { metadata: { name } };
  Object.defineProperty(props, "stringData", {
    enumerable: true,
    get: () => {
      throw new UnreadError(secret.message);
    },
  });
  return [{ type: "kubernetes:core/v1:Secret", urn: `Secret ${name}`, name, props }];
}

function resource(apiVersion: string, kind: string, object: object | null): Resource[] {
  // The client makes dates of times; rules read what a manifest would say.
  return object === null ? [] : resourcesOfManifest({ ...JSON.parse(JSON.stringify(object)), apiVersion, kind });
}

async function orRefusal<T>(asked: Promise<T>): Promise<T | RefusedError> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}
