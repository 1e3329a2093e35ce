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
  "cluster.provider": { allowed: "kind, existing or rehearsal", example: "kind" },
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
