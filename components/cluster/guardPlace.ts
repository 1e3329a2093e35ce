import { join } from "node:path";
import { clusterFiles, stateDir } from "../../tools/paths.ts";
import type { Settings } from "../settings.ts";
import type { KindSpec } from "./kindConfig.ts";
import { networkOf } from "./kindState.ts";
import { identityOf } from "./replacement.ts";

/** Makes and removes rehearsal clusters; a program of its own, which knows nothing of Pulumi. */
export const REHEARSAL_PROGRAM = join(import.meta.dirname, "../../rehearsal/main.ts");

/** A place between the nodes where packets can be dropped. */
export interface GuardPlace {
  /** A program of this machine, with nft's arguments after its own; it takes nft's standard input. */
  nft: string[];
  /** A program that prints a NodeNetwork as JSON. */
  network: string[];
  /** True where the place goes with the cluster, so that there is nothing to take away once the cluster is gone. */
  ofCluster: boolean;
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
    case "existing":
    // There security groups are the guard, and AWS's own to enforce.
    case "eks":
      return undefined;
  }
}

/** On the bridge of the nodes' Docker network. */
export function kindGuardPlace({ name, image }: KindSpec): GuardPlace {
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
export function rehearsalGuardPlace(name: string): GuardPlace {
  return {
    nft: [...onRehearsalBridge(name), "nft"],
    network: ["node", REHEARSAL_PROGRAM, "network", "--name", name],
    ofCluster: true,
  };
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
