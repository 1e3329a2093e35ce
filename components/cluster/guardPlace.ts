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
}
