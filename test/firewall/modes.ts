import { type Form, formsOf, union } from "../../components/encryption/guard/forms.ts";
import { settingsOf } from "../unit/components/config.ts";
import type { Network } from "./addresses.ts";

/** One state of a cluster: what passes in it, and where its pods have their addresses. */
export interface Row {
  mode: string;
  cilium: string;
  network: Network;
  forms: Form[];
}

/** The newest of each minor version. */
const VERSIONS = ["1.16.19", "1.17.9", "1.18.11", "1.19.7", "1.20.2"];
const MODES = {
  wireguard: { encryption: "wireguard" },
  "wireguard, nodes too": { encryption: "wireguard", wireguard: { nodeEncryption: true } },
  ipsec: { encryption: "ipsec" },
};
const NETWORKS: Record<Network, object> = {
  // Pods are routed with addresses of the VPC.
  vpc: { routing: "native", nativeCidr: "10.244.0.0/16" },
  overlay: { routing: "tunnel" },
};

/** Every mode and every change from one to another, by version and network; and the upgrade over which IPsec changes its form. */
export function rows(): Row[] {
  const networks = Object.keys(NETWORKS) as Network[];
  const modes = Object.keys(MODES) as (keyof typeof MODES)[];
  const states = VERSIONS.flatMap((cilium) =>
    networks.flatMap((network) =>
      modes.flatMap((one, at) => [
        { mode: one, cilium, network, forms: forms(one, cilium, network) },
        ...modes.slice(at + 1).map((other) => ({
          ...{ mode: `${one} <-> ${other}`, cilium, network },
          forms: union(forms(one, cilium, network), forms(other, cilium, network)),
        })),
      ]),
    ),
  );
  const upgrade = union(forms("ipsec", "1.17.9", "overlay"), forms("ipsec", "1.18.11", "overlay"));
  return [...states, { mode: "ipsec, upgrade", cilium: "1.17 -> 1.18", network: "overlay", forms: upgrade }];
}

function forms(mode: keyof typeof MODES, version: string, network: Network): Form[] {
  return formsOf(settingsOf({ ...MODES[mode], cilium: { version, ...NETWORKS[network] } }));
}
