import type { z } from "zod";
import type {
  CiliumSettings,
  EncryptionMode,
  ExistingSettings,
  IpsecSettings,
  KindSettings,
  RehearsalSettings,
  Settings,
  WireguardSettings,
} from "./settings.ts";
import type { eksShape } from "./settingsEks.ts";
import type { schema } from "./settingsSchema.ts";

/** A cluster made by kind, in Docker; what makes it is what makes a rehearsal. */
type KindArgs = Partial<KindSettings>;
type RehearsalArgs = Partial<RehearsalSettings> & Pick<RehearsalSettings, "provider">;
type ExistingArgs = Partial<ExistingSettings> & Pick<ExistingSettings, "provider" | "kubeconfig">;
type EksArgs = z.input<typeof eksShape>;

/**
 * What an EncryptedCluster is told: the settings of stack config (README, Settings), all of them optional and with the same defaults, but for the
 * cluster's name, which is the resource's. Plain values: settings decide which resources there are.
 */
export interface EncryptedClusterArgs {
  /** How Cilium encrypts the traffic between nodes. `none` needs `allowPlaintext`. @default "wireguard" */
  encryption?: EncryptionMode;
  /** What only WireGuard knows. */
  wireguard?: Partial<WireguardSettings>;
  /** What only IPsec knows. Wirecloak makes the key itself; another `keyId` is a rotation. */
  ipsec?: Partial<IpsecSettings>;
  /** Cilium's strict mode: pod traffic that would leave a node unencrypted is dropped. @default false */
  strict?: boolean;
  /** Drop what is readable between nodes, outside of them, whatever Cilium does. @default true */
  guard?: boolean;
  /** Have the API server refuse what would take encryption back, whoever asks. @default true */
  admission?: boolean;
  /** Watch what crosses between the nodes while an update changes them. @default true */
  watch?: boolean;
  /** Why plaintext is accepted, and the last day (YYYY-MM-DD) for which it is. */
  allowPlaintext?: Settings["allowPlaintext"] & object;
  /** When the IPsec key is said to be overdue. */
  rotation?: Settings["rotation"];
  /** The cluster: made by `kind`, `rehearsal` or `eks`, or `existing`. @default kind, of one control plane and three workers */
  cluster?: KindArgs | RehearsalArgs | ExistingArgs | EksArgs;
  /** The version of Cilium, where its chart comes from, routing, and more. Relative paths are meant from the folder that the program runs in. */
  cilium?: Partial<Omit<CiliumSettings, "ipam">> & { ipam?: "kubernetes" | "cluster-pool" };
  /** How much a proof looks at, and whether a failed one fails the update. */
  proof?: Partial<Settings["proof"]>;
}

// What is documented here is what the settings take, and all of it; a kind cluster need not say that it is one.
type Taken = Omit<z.input<typeof schema>, "cluster"> & { cluster?: KindArgs | z.input<typeof schema>["cluster"] };
({}) as EncryptedClusterArgs satisfies Taken;
({}) as Record<keyof EncryptedClusterArgs, true> satisfies Record<keyof Taken, true>;
