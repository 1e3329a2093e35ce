import { createHash, randomBytes } from "node:crypto";
import type { CheckFailure } from "../plugin/provider.ts";
import { isMap, type PropertyMap, revealMap, Unknown, type Value } from "../plugin/values.ts";
import { autonamed } from "./replacement.ts";
import { markedLike } from "./secrecy.ts";

/** Properties under which the official plugin keeps notes of its own among the outputs; kept so that it can take over. */
export const notes = { inputs: "__inputs", apiVersion: "__initialApiVersion", fieldManager: "__fieldManager" } as const;

/** Metadata that only the API server writes. */
const serverMetadata = [
  ...["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation"],
  ...["managedFields", "resourceVersion", "selfLink", "uid"],
];

/** Built-in kinds without a namespace. */
const clusterScoped: ReadonlySet<string> = new Set([
  ...["APIService", "CSIDriver", "CSINode", "CertificateSigningRequest", "ClusterRole", "ClusterRoleBinding"],
  ...["ClusterTrustBundle", "ComponentStatus", "CustomResourceDefinition", "DeviceClass", "FlowSchema", "IPAddress"],
  ...["IngressClass", "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration"],
  ...["Namespace", "Node", "PersistentVolume", "PriorityClass", "PriorityLevelConfiguration", "ResourceSlice"],
  ...["RuntimeClass", "SelfSubjectAccessReview", "SelfSubjectReview", "SelfSubjectRulesReview", "ServiceCIDR"],
  ...["StorageClass", "StorageVersion", "StorageVersionMigration", "SubjectAccessReview", "TokenReview"],
  ...["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration"],
  ...["VolumeAttachment", "VolumeAttributesClass"],
]);

/** Whether objects of a built-in kind live in namespaces; `undefined` for all other kinds. */
export function isNamespacedBuiltIn(apiVersion: string, kind: string): boolean | undefined {
  return isBuiltIn(apiVersion) ? !clusterScoped.has(kind) : undefined;
}

/** Groups of Kubernetes' own have no dot or end in `.k8s.io`. */
export function isBuiltIn(apiVersion: string): boolean {
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  return !group.includes(".") || group.endsWith(".k8s.io");
}

/**
 * Inputs in the form in which the API server keeps them: a Secret's `stringData` as `data`, no fields that only the
 * server writes. Secret marks stay; the contents of a Secret always have one.
 */
export function normalised(marked: PropertyMap): PropertyMap {
  const { status, ...plain } = revealMap(marked);
  const isCrd = plain.kind === "CustomResourceDefinition";
  const object: PropertyMap = isCrd || status === undefined ? plain : { ...plain, status };
  const metadata = isMap(object.metadata) ? { metadata: withoutKeys(object.metadata, serverMetadata) } : {};
  const typed = object.apiVersion === "v1" && object.kind === "Secret" ? secretData(object) : object;
  return markedLike({ ...(isCrd ? (withDashes(typed) as PropertyMap) : typed), ...metadata }, marked);
}

/** `stringData` wins over `data`, as in the API server. */
function secretData({ data, stringData, ...rest }: PropertyMap): PropertyMap {
  if (data instanceof Unknown || stringData instanceof Unknown) {
    return { ...rest, ...(data === undefined ? {} : { data }), ...(stringData === undefined ? {} : { stringData }) };
  }
  const base64 = (map: Value | undefined, from: "base64" | "utf8") =>
    Object.entries(isMap(map) ? map : {}).map(([key, value]): [string, Value] => [
      key,
      typeof value === "string" ? Buffer.from(value, from).toString("base64") : value,
    ]);
  const merged = Object.fromEntries([...base64(data, "base64"), ...base64(stringData, "utf8")]);
  return { ...rest, ...(isMap(data) || isMap(stringData) ? { data: merged } : {}) };
}

/** The SDKs spell `x-kubernetes-...` in CustomResourceDefinitions with underscores. */
function withDashes(value: Value): Value {
  if (Array.isArray(value)) {
    return value.map(withDashes);
  }
  if (!isMap(value)) {
    return value;
  }
  const spelt = (key: string) => (key.startsWith("x_kubernetes_") ? key.replaceAll("_", "-") : key);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [spelt(key), withDashes(inner)]));
}

/** Gives an object without a name the one it had, or a new one; it is marked, so that a replacement gets another. */
export function named(
  inputs: PropertyMap,
  olds: PropertyMap,
  resourceName: string,
  randomSeed: Uint8Array,
): { inputs: PropertyMap; failures: CheckFailure[] } {
  const metadata = inputs.metadata ?? {};
  if (!isMap(metadata) || (metadata.name ?? "") !== "") {
    return { inputs, failures: [] }; // named by the program, or not known yet
  }
  if ((metadata.generateName ?? "") !== "") {
    const reason =
      "the stand-in for the kubernetes plugin does not know generateName; leave it out to get a random name";
    return { inputs, failures: [{ property: "metadata.generateName", reason }] };
  }
  const before = isMap(olds.metadata) ? olds.metadata : {};
  const kept = isAutonamed(olds) ? before.name : undefined;
  const annotations = { ...(isMap(metadata.annotations) ? metadata.annotations : {}), [autonamed]: "true" };
  const name = kept ?? `${resourceName.toLowerCase()}-${suffix(randomSeed)}`;
  return { inputs: { ...inputs, metadata: { ...metadata, name, annotations } }, failures: [] };
}

/** Eight hexadecimal digits; the same for the same seed. */
export function suffix(randomSeed: Uint8Array): string {
  const seed = randomSeed.length > 0 ? randomSeed : randomBytes(32);
  return createHash("sha256").update(seed).digest("hex").slice(0, 8);
}

function isAutonamed({ metadata }: PropertyMap): boolean {
  return isMap(metadata) && isMap(metadata.annotations) && metadata.annotations[autonamed] === "true";
}

/** What the state keeps of a live object: all of it but who manages which field, with our notes. */
export function stateOf(live: PropertyMap, inputs: PropertyMap, fieldManager: string): PropertyMap {
  const metadata = isMap(live.metadata) ? withoutKeys(live.metadata, ["managedFields"]) : {};
  return {
    ...markedLike({ ...live, metadata }, inputs),
    [notes.inputs]: inputs,
    [notes.apiVersion]: inputs.apiVersion ?? null,
    [notes.fieldManager]: fieldManager,
  };
}

/** The object in a state, without our notes and marks. */
export function objectIn(state: PropertyMap): PropertyMap {
  return withoutKeys(revealMap(state), Object.values(notes));
}

/** The inputs that would make a live object: for an import. */
export function importedInputs(live: PropertyMap): PropertyMap {
  const { status: _, ...inputs } = normalised(live);
  const metadata = isMap(inputs.metadata) ? inputs.metadata : {};
  const annotations = withoutKeys(isMap(metadata.annotations) ? metadata.annotations : {}, [
    "deployment.kubernetes.io/revision",
    "kubectl.kubernetes.io/last-applied-configuration",
  ]);
  const { annotations: __, ...rest } = metadata;
  return { ...inputs, metadata: { ...rest, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) } };
}

function withoutKeys(map: PropertyMap, keys: readonly string[]): PropertyMap {
  return Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));
}
