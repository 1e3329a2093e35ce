/** What an error about a setting says of it. */
interface Field {
  allowed: string;
  /** A good value, for the command that mends it. */
  example: string;
}

const DURATION = "a Go duration such as 30s, 5m or 1h30m";
const SWITCH: Field = { allowed: "true or false", example: "true" };
const RANGE: Field = { allowed: "an IPv4 range such as 10.244.0.0/16", example: "10.244.0.0/16" };

/** Every setting by its path, in the order in which they are documented. The schema has the types; this has the words. */
export const FIELDS: Readonly<Record<string, Field>> = {
  encryption: { allowed: "wireguard, ipsec or none", example: "wireguard" },
  wireguard: { allowed: "an object", example: "" },
  "wireguard.nodeEncryption": SWITCH,
  "wireguard.persistentKeepalive": {
    allowed: `whole seconds as ${DURATION}, at most 65535s; 0s sends none`,
    example: "0s",
  },
  "wireguard.userspaceFallback": SWITCH,
  ipsec: { allowed: "an object", example: "" },
  "ipsec.keyId": { allowed: "a whole number from 1 to 15", example: "3" },
  "ipsec.keyBits": { allowed: "128 or 256", example: "128" },
  "ipsec.keyRotationDuration": { allowed: `${DURATION}, more than 0`, example: "5m" },
  "ipsec.encryptedOverlay": SWITCH,
  "ipsec.interface": { allowed: "the name of a network device such as eth0", example: "eth0" },
  "ipsec.rotateDespite": { allowed: "a list of node names", example: "node-a" },
  strict: SWITCH,
  guard: SWITCH,
  admission: SWITCH,
  watch: SWITCH,
  allowPlaintext: { allowed: "an object with `reason` and `until`", example: "" },
  "allowPlaintext.reason": {
    allowed: "why plaintext is accepted, in words",
    example: "'throughput test, no user data'",
  },
  "allowPlaintext.until": { allowed: "a day to come, YYYY-MM-DD", example: "2027-01-31" },
  rotation: { allowed: "an object", example: "" },
  "rotation.maxAgeDays": { allowed: "a whole number of days, 1 or more", example: "90" },
  cluster: { allowed: "an object", example: "" },
  "cluster.provider": { allowed: "kind, existing, rehearsal or eks", example: "kind" },
  "cluster.name": {
    allowed: "up to 32 lower-case letters, digits and dashes, with a letter or digit at both ends",
    example: "dev",
  },
  "cluster.workers": { allowed: "a whole number, 0 or more", example: "3" },
  "cluster.podCidr": RANGE,
  "cluster.serviceCidr": { allowed: "an IPv4 range from /12 to /28 such as 10.96.0.0/16", example: "10.96.0.0/16" },
  "cluster.image": { allowed: "a kind node image such as kindest/node:v1.35.0", example: "kindest/node:v1.35.0" },
  "cluster.kubeconfig": { allowed: "the path of a kubeconfig file", example: "./kubeconfig" },
  "cluster.context": { allowed: "the name of a context in the kubeconfig", example: "my-context" },
  "cluster.region": { allowed: "an AWS region such as us-west-2", example: "us-west-2" },
  "cluster.kubernetes": { allowed: "a minor version of Kubernetes such as 1.34, quoted", example: "1.34" },
  "cluster.network": { allowed: "eni, overlay or chaining", example: "eni" },
  "cluster.vpc": { allowed: "an object", example: "" },
  "cluster.vpc.cidr": { allowed: "the VPC's IPv4 range, such as 10.0.0.0/16", example: "10.0.0.0/16" },
  "cluster.vpc.zones": { allowed: "two to four availability zones such as us-west-2a", example: "" },
  "cluster.vpc.natGateways": { allowed: "one or per-zone", example: "one" },
  "cluster.vpc.id": { allowed: "the id of a VPC that is there", example: "vpc-0123456789abcdef0" },
  "cluster.vpc.nodeRanges": {
    allowed: "IPv4 ranges that hold the nodes' subnets, and nothing that nodes have to reach",
    example: "",
  },
  "cluster.vpc.subnetIds": { allowed: "ids of two private subnets or more, in different zones", example: "" },
  "cluster.nodeGroups": { allowed: "an object of node groups by name", example: "" },
  "cluster.nodeGroups.*": {
    allowed: "up to 20 lower-case letters, digits and dashes as its name, and an object",
    example: "",
  },
  "cluster.nodeGroups.*.instanceTypes": { allowed: "a list of EC2 instance types such as t3.medium", example: "" },
  "cluster.nodeGroups.*.nodes": { allowed: "a whole number, 0 or more", example: "2" },
  "cluster.nodeGroups.*.min": { allowed: "a whole number, 0 or more", example: "1" },
  "cluster.nodeGroups.*.max": { allowed: "a whole number, 1 or more", example: "4" },
  "cluster.nodeGroups.*.spot": SWITCH,
  "cluster.nodeGroups.*.diskGiB": { allowed: "whole GiB from 20 to 16384", example: "30" },
  "cluster.nodeGroups.*.labels": { allowed: "an object of texts", example: "" },
  "cluster.tags": { allowed: "an object of texts", example: "" },
  "cluster.endpoint": { allowed: "an object", example: "" },
  "cluster.endpoint.public": SWITCH,
  "cluster.endpoint.allowedCidrs": { allowed: "a list of IPv4 ranges such as 203.0.113.7/32", example: "" },
  "cluster.logs": {
    allowed: "a list of api, audit, authenticator, controllerManager and scheduler",
    example: "",
  },
  "cluster.logRetentionDays": { allowed: "1, 3, 5, 7, 14, 30, 60, 90, 180 or 365", example: "30" },
  "cluster.admins": { allowed: "a list of ARNs of IAM users and roles", example: "" },
  "cluster.protect": SWITCH,
  cilium: { allowed: "an object", example: "" },
  "cilium.version": { allowed: "a full version from 1.16 to 1.20, without a v", example: "1.20.2" },
  "cilium.namespace": { allowed: "a Kubernetes namespace name", example: "kube-system" },
  "cilium.chart": {
    allowed:
      "https://... (a Helm repository), oci://... (a chart, without its version), or a path that begins with ./, ../, / or ~/",
    example: "https://helm.cilium.io",
  },
  "cilium.routing": { allowed: "tunnel or native", example: "tunnel" },
  "cilium.tunnel": { allowed: "vxlan or geneve", example: "vxlan" },
  "cilium.nativeCidr": RANGE,
  "cilium.ipam": { allowed: "kubernetes or cluster-pool", example: "kubernetes" },
  "cilium.kubeProxyReplacement": SWITCH,
  "cilium.hubble": SWITCH,
  "cilium.rollout": { allowed: "fast (all agents at once) or steady (node by node)", example: "fast" },
  "cilium.values": { allowed: "an object of Helm values", example: "" },
  proof: { allowed: "an object", example: "" },
  "proof.enforce": SWITCH,
  "proof.pairs": { allowed: "all, or a whole number of ordered node pairs, 2 or more", example: "240" },
  "proof.seconds": { allowed: "whole seconds from 1 to 3600", example: "5" },
  "proof.image": { allowed: "an image with sh, tcpdump, socat, ip, timeout and python3", example: "nicolaka/netshoot" },
};

/** The setting at a path as FIELDS has it: what users name themselves is a star, and an element of a list is its list. */
export function fieldPath(path: readonly PropertyKey[]): string {
  const names = path.filter((part) => typeof part !== "number").map(String);
  if (names[0] === "cluster" && names[1] === "nodeGroups" && names.length > 2) names[2] = "*";
  return names.join(".");
}

/** The project's config namespace, as Pulumi.yaml names it. */
export const NAMESPACE = "wirecloak";

/** `wirecloak:ipsec.keyId` for `["ipsec", "keyId"]`; keys that are no plain names are bracketed, as Pulumi's property paths want. */
export function settingKey(path: readonly PropertyKey[]): string {
  const [first = "", ...rest] = path.map(String);
  const step = (part: string) =>
    /^\d+$/.test(part) ? `[${part}]` : /^[\w-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
  return `${NAMESPACE}:${first}${rest.map(step).join("")}`;
}

/** The command that sets a setting, by its full key. A value is shown as the user has to type it. */
export function setCommand(key: string, value: string): string {
  return `pulumi config set ${/[.[]/.test(key) ? "--path " : ""}${quoted(key)} ${value}`;
}

/** The command that removes a setting, by its full key. */
export function removeCommand(key: string): string {
  return `pulumi config rm ${/[.[]/.test(key) ? "--path " : ""}${quoted(key)}`;
}

/** A problem's key, and its value where there is one to show, of a setting by its path (`cluster.name`). */
export function about(path: string, value?: unknown): { key: string; value?: unknown } {
  return { key: `${NAMESPACE}:${path}`, ...(value !== undefined && { value }) };
}

/** The command that sets a setting, by its path. */
export function set(path: string, value: string): string {
  return setCommand(`${NAMESPACE}:${path}`, value);
}

/** The command that removes a setting, by its path. */
export function remove(path: string): string {
  return removeCommand(`${NAMESPACE}:${path}`);
}

function quoted(key: string): string {
  return /^[\w:.-]+$/.test(key) ? key : `'${key.replaceAll("'", `'\\''`)}'`;
}

/** The candidate a misspelt word most likely means; undefined where none is near. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Levenshtein's distance: single-character edits between two words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, left] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, right] of [...b].entries()) {
      next.push(Math.min((row[j] ?? 0) + (left === right ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
