import { Secret } from "@pulumi/kubernetes/core/v1/secret.js";
import { Release } from "@pulumi/kubernetes/helm/v3/release.js";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Cluster } from "../cluster/cluster.ts";
import type { Settings } from "../settings.ts";
import { chartReference } from "./chart.ts";
import { ipsecKeyLine, keyBytes } from "./ipsecKey.ts";
import { ciliumValues, REPAIR_ANNOTATION } from "./values.ts";

/** The Secret that Cilium's IPsec mode mounts; the chart's default `encryption.ipsec.secretName`. Identity: never rename. */
const KEYS_SECRET = "cilium-ipsec-keys";

/** Seconds that Helm waits for the rollout: agents pull an image of some 200 MB on each node. */
const ROLLOUT_TIMEOUT = 900;

/** What has to be put back though nothing has changed in the settings. */
export interface CiliumRepair {
  /** Another one than before patches the Secret and has all agents start anew; empty: neither was ever needed. */
  token: string;
  /** There is no Secret to patch: it is made anew, with the same key. */
  secretMissing: boolean;
}

export interface CiliumArgs {
  settings: Settings;
  cluster: Cluster;
  /** The provider of that very cluster. */
  provider: Provider;
  /** What is not as the last update left it; absent: nothing to repair. */
  repair?: CiliumRepair;
  /** What must be in place before Cilium starts or changes. */
  after?: pulumi.Resource[];
}

/** Cilium with the encryption that the settings ask for: the pre-shared key (IPsec only), then the Helm release. */
export class Cilium extends pulumi.ComponentResource {
  /** Revision of the Helm release; a new one with every change of configuration. */
  readonly revision: pulumi.Output<number>;

  constructor(name: string, args: CiliumArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:encryption:Cilium", name, {}, opts);
    const { settings, cluster, provider, repair = { token: "", secretMissing: false } } = args;
    const inCluster = { parent: this, provider, ...cluster.lifetime };

    const secret =
      settings.encryption === "ipsec"
        ? this.keysSecret(name, settings, repair, { ...inCluster, dependsOn: args.after ?? [] })
        : undefined;

    const release = new Release(
      `${name}-release`,
      {
        // Fixed, since Helm cannot rename a release, and Pulumi would add a random suffix.
        name: "cilium",
        namespace: settings.cilium.namespace,
        ...chartReference(settings.cilium),
        values: ciliumValues(settings, cluster, repair.token),
        timeout: ROLLOUT_TIMEOUT,
        // Without a node nothing of it starts. Whether all agents run is AgentsAgree's to see, node by node.
        ...(cluster.nodesAfter && { skipAwait: true }),
      },
      // Agents mount the Secret, so it is there before them and goes after them.
      { ...inCluster, dependsOn: [...(args.after ?? []), ...(secret ? [secret] : [])] },
    );
    this.revision = release.status.revision;
    this.registerOutputs({ revision: this.revision });
  }

  private keysSecret(
    name: string,
    settings: Settings,
    { token, secretMissing }: CiliumRepair,
    inCluster: pulumi.CustomResourceOptions,
  ): Secret {
    const { keyId, keyBits } = settings.ipsec;
    // Key id and size are in the logical name: a new id is a new key, and the old one stays in state until the Secret holds the new.
    // It needs no word to follow the live preflight, which has ended the program by now where this key must not be made (look/judge.ts).
    // Not RandomBytes: its resource id is the bytes themselves, and ids are never encrypted (pulumi/pulumi#8946).
    const psk = new RandomPassword(`${name}-psk-${keyId}-${keyBits}`, hexOf(keyBytes(keyBits)), { parent: this });
    return new Secret(
      `${name}-ipsec-keys`,
      {
        metadata: {
          name: KEYS_SECRET,
          namespace: settings.cilium.namespace,
          // The second takes fields back from whoever has taken them.
          ...(token && { annotations: { [REPAIR_ANNOTATION]: token, "pulumi.com/patchForce": "true" } }),
        },
        stringData: { keys: psk.result.apply((hex) => ipsecKeyLine(keyId, hex)) },
      },
      // The official kubernetes plugin does not update what is not there any more.
      { ...inCluster, ...(secretMissing && { replaceOnChanges: ["*"], deleteBeforeReplace: true }) },
    );
  }
}

/** So many random bytes in hex: each character drawn evenly from 0-9 and a-f. */
function hexOf(bytes: number) {
  return { length: 2 * bytes, upper: false, lower: false, numeric: true, special: true, overrideSpecial: "abcdef" };
}
