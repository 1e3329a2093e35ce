import { join } from "node:path";
import { clusterFiles, stateDir } from "../../tools/paths.ts";
import type { EksSettings, Settings } from "../settings.ts";
import { nodeRanges } from "./eks/subnets.ts";
import type { KindSpec } from "./kindSpec.ts";
import { networkOf } from "./kindState.ts";
import { identityOf } from "./replacement.ts";

/** Makes and removes rehearsal clusters; a program of its own, which knows nothing of Pulumi. */
export const REHEARSAL_PROGRAM = join(import.meta.dirname, "../../rehearsal/main.ts");

/** Where packets between the nodes are dropped. A cloud that carries the guard itself is one more of these, and is asked (encryption/guard/main.ts, `show`). */
export type GuardPlace = BridgePlace | SecurityGroupPlace;

/** A bridge between the nodes, with a table of ours. */
export interface BridgePlace {
  /** A program of this machine, with nft's arguments after its own; it takes nft's standard input. */
  nft: string[];
  /** A program that prints a NodeNetwork as JSON. */
  network: string[];
  /** True where the place goes with the cluster, so that there is nothing to take away once the cluster is gone. */
  ofCluster: boolean;
}

/** The nodes' security group in AWS: its rules are resources of the stack, so that here they are only asked for. */
export interface SecurityGroupPlace {
  region: string;
  /** Its name: by that AWS finds the groups and the nodes. */
  cluster: string;
  /** Where nodes have their addresses. */
  nodeRanges: string[];
}

/** Whether the guard is a table of ours on a bridge. */
export function isBridge(place: GuardPlace): place is BridgePlace {
  return "nft" in place;
}

/** The network of the nodes, as the place tells it. */
export interface NodeNetwork {
  /** Its ranges. */
  nodes: string[];
  /** The control planes' addresses, which opt out of node encryption. */
  controlPlanes: string[];
  /** Hardware addresses of the nodes; absent where the place is between these nodes only. */
  members?: string[];
}

/** Where the guard of these settings' cluster is, known before there is any resource; undefined where the cluster has no such place. */
export function guardPlaceOf({ cluster, cilium }: Settings): GuardPlace | undefined {
  switch (cluster.provider) {
    case "kind":
      return kindGuardPlace(identityOf(cluster, cilium.kubeProxyReplacement));
    case "rehearsal":
      return rehearsalGuardPlace(cluster.name);
    case "eks":
      return eksGuardPlace(cluster);
    case "existing":
      return undefined;
  }
}

/** On the bridge of the nodes' Docker network. */
export function kindGuardPlace({ name, image }: KindSpec): BridgePlace {
  return {
    // The node image is there already and carries nft. Privileged, since rules are the whole host's.
    nft: [
      ...["docker", "run", "--rm", "--interactive", "--privileged", "--network", "host"],
      ...["--entrypoint", "nft", image],
    ],
    network: ["docker", "network", "inspect", networkOf(name), "--format", networkTemplate(name)],
    // The rules are in the host's namespace, and outlive the cluster.
    ofCluster: false,
  };
}

/** On the bridge of the rehearsal's nodes. */
export function rehearsalGuardPlace(name: string): BridgePlace {
  return {
    nft: [...onRehearsalBridge(name), "nft"],
    network: ["node", REHEARSAL_PROGRAM, "network", "--name", name],
    ofCluster: true,
  };
}

/** In the security group of the nodes. */
export function eksGuardPlace(cluster: EksSettings): SecurityGroupPlace {
  const ranges = nodeRanges(cluster).map(({ address, prefix }) => `${address}/${prefix}`);
  return { region: cluster.region, cluster: cluster.name, nodeRanges: ranges };
}

/** Runs a program where the nodes' bridge is: in a network namespace that only the rehearsal's program can enter. */
export function onRehearsalBridge(name: string): string[] {
  return ["sh", join(import.meta.dirname, "../../rehearsal/bridge.sh"), clusterFiles(stateDir(), name).folder];
}

/** A Go template that tells a Docker network's ranges, the control plane's address on it and all nodes' hardware addresses, as JSON. */
function networkTemplate(name: string): string {
  const ranges = '{{range $i, $range := .IPAM.Config}}{{if $i}},{{end}}"{{$range.Subnet}}"{{end}}';
  const controlPlane = `{{range .Containers}}{{if eq .Name "${name}-control-plane"}}"{{.IPv4Address}}"{{end}}{{end}}`;
  const members =
    "{{$more := false}}{{range .Containers}}{{if $more}},{{end}}{{$more = true}}{{json .MacAddress}}{{end}}";
  return `{"nodes":[${ranges}],"controlPlanes":[${controlPlane}],"members":[${members}]}`;
}
