import clean from "semver/functions/clean.js";
import { z } from "zod";
import { secondsOf } from "./duration.ts";
import { findChartVersion, MINORS } from "./encryption/chartVersions.ts";
import { MAX_KEY_ID } from "./encryption/ipsecKey.ts";
import { eksShape } from "./settingsEks.ts";
import { cidr, duration, name, rule, serviceCidr, text } from "./settingsTexts.ts";

/** The version installed where none is set. */
export const DEFAULT_CILIUM = "1.20.2";

/** The probe pods' image where none is set: an index for amd64 and arm64, by its digest since it may capture on every node. */
export const PROBE_IMAGE =
  "docker.io/nicolaka/netshoot:v0.14@sha256:7f08c4aff13ff61a35d30e30c5c1ea8396eac6ab4ce19fd02d5a4b3b5d0d09a2";

const workers = z.int().min(0);

const made = {
  name: name.default("dev"),
  workers: workers.default(3),
  podCidr: cidr.default("10.244.0.0/16"),
  serviceCidr: serviceCidr.default("10.96.0.0/16"),
};

const path = text(rule("is empty.", (value) => value.trim() !== ""));

/** The settings of each provider, by its name. */
const PROVIDERS = {
  kind: z.strictObject({
    provider: z.literal("kind"),
    ...made,
    image: z.exactOptional(text(rule("is no image name.", (v) => /^[^\s]+$/.test(v)))),
  }),
  existing: z.strictObject({
    provider: z.literal("existing"),
    name: name.default("default"),
    kubeconfig: path,
    context: z.exactOptional(path),
    podCidr: z.exactOptional(cidr),
  }),
  rehearsal: z.strictObject({ provider: z.literal("rehearsal"), ...made }),
  eks: eksShape,
} as const;

/** Whether a provider of clusters has this name. */
export function isProvider(name: unknown): name is keyof typeof PROVIDERS {
  return typeof name === "string" && Object.hasOwn(PROVIDERS, name);
}

/** Which providers know a key of `wirecloak:cluster`. */
export function providersWith(key: string): string[] {
  return Object.entries(PROVIDERS)
    .filter(([, schema]) => key in schema.shape)
    .map(([provider]) => provider);
}

const version = text(
  rule("is written with a v. Cilium's charts are not.", (value) => !/^v/i.test(value)),
  rule("is not a full version; say which patch.", (value) => clean(value) === value),
  rule(
    `is not a version that Wirecloak knows (${MINORS[0]} to ${MINORS.at(-1)}).`,
    (value) => findChartVersion(value) !== undefined,
  ),
);

const chart = text(
  rule(
    "carries a password, and config is not the place for one: use `helm registry login` or `helm repo add`.",
    (value) => !/^\w+:\/\/[^/]*@/.test(value),
  ),
  rule(
    "is fetched without TLS, so anyone on the way could replace the chart.",
    (value) => !/^http:\/\/(?!localhost|127\.)/.test(value),
  ),
  rule(
    "names a version or digest. The version is wirecloak:cilium.version.",
    (value) => !/^oci:\/\/[^/]+\/.*[:@]/.test(value),
  ),
  rule("is no place a chart can be had from.", (value) =>
    /^(?:https?:\/\/[^\s/]+|oci:\/\/[^\s/]+\/\S+|\.{0,2}\/.*|\.{1,2}|~\/.*)/.test(value),
  ),
);

const day = z
  .string()
  .transform((value) => value.replace(/(T00:00:00Z| 00:00:00 \+0000 UTC)$/, "")) // Pulumi reads an unquoted day as a moment
  .pipe(text(rule("is not a day.", (value) => z.iso.date().safeParse(value).success)));

/** The shape of the settings, with defaults. What needs more than one setting to judge is in settingsChecks.ts. */
export const schema = z.strictObject({
  encryption: z.enum(["wireguard", "ipsec", "none"]).default("wireguard"),
  wireguard: z
    .strictObject({
      nodeEncryption: z.boolean().default(false),
      persistentKeepalive: text(
        duration,
        rule(
          "is not whole seconds up to 65535, which is all WireGuard knows.",
          (v) => Number.isInteger(secondsOf(v)) && secondsOf(v) <= 65535,
        ),
      ).default("0s"),
      userspaceFallback: z.boolean().default(false),
    })
    .prefault({}),
  ipsec: z
    .strictObject({
      keyId: z.int().min(1).max(MAX_KEY_ID).default(3),
      keyBits: z.literal([128, 256]).default(128),
      keyRotationDuration: text(
        duration,
        rule("takes the old key away before any node has the new one.", (value) => secondsOf(value) > 0),
      ).default("5m"),
      encryptedOverlay: z.boolean().default(false),
      interface: z.exactOptional(text(rule("is no device name.", (value) => /^[^\s/]{1,15}$/.test(value)))),
      rotateDespite: z.array(text(rule("is empty.", (value) => value.trim() !== ""))).default([]),
    })
    .prefault({}),
  strict: z.boolean().default(false),
  guard: z.boolean().default(true),
  admission: z.boolean().default(true),
  watch: z.boolean().default(true),
  allowPlaintext: z.exactOptional(
    z.strictObject({
      reason: text(rule("is empty.", (value) => value.trim() !== "")),
      until: day,
    }),
  ),
  rotation: z.strictObject({ maxAgeDays: z.exactOptional(z.int().min(1)) }).prefault({}),
  cluster: z
    .discriminatedUnion("provider", [PROVIDERS.kind, PROVIDERS.existing, PROVIDERS.rehearsal, PROVIDERS.eks])
    .prefault({ provider: "kind" }),
  cilium: z
    .strictObject({
      version: version.default(DEFAULT_CILIUM),
      namespace: text(rule("is no namespace name.", (v) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(v))).default(
        "kube-system",
      ),
      chart: chart.default("https://helm.cilium.io"),
      routing: z.enum(["tunnel", "native"]).default("tunnel"),
      tunnel: z.enum(["vxlan", "geneve"]).default("vxlan"),
      nativeCidr: z.exactOptional(cidr),
      ipam: z.enum(["kubernetes", "cluster-pool"]).default("kubernetes"),
      kubeProxyReplacement: z.boolean().default(true),
      hubble: z.boolean().default(true),
      rollout: z.enum(["fast", "steady"]).default("fast"),
      values: z.record(z.string(), z.unknown()).default({}),
    })
    .prefault({}),
  proof: z
    .strictObject({
      enforce: z.boolean().default(true),
      pairs: z.union([z.int().min(2), z.literal("all")]).default(240),
      seconds: z.int().min(1).max(3600).default(5),
      image: text(rule("is no image name.", (v) => /^[^\s]+$/.test(v))).default(PROBE_IMAGE),
    })
    .prefault({}),
});
