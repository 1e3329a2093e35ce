import { modeOf, type Options } from "../cilium/options.ts";
import { piecesOf } from "../cilium/pieces.ts";
import { at, type Resource } from "../resource.ts";
import { inEach } from "../undecided.ts";
import { type Cloud, cloudOf } from "./clouds.ts";

/** A Kubernetes cluster as far as the resources tell of one. */
export interface Cluster {
  /** For people, and for exemptions. */
  name: string;
  /** What stands for it; absent where there are but objects, which no provider manages. */
  of?: Resource;
  cloud?: Cloud;
  /** Its Kubernetes providers. */
  providers: readonly Resource[];
  /** What is in it, or is about it. */
  contents: readonly Resource[];
}

/** Every cluster that a stack makes or reaches: by its cloud's resource and the providers that are made from it, or by its provider alone. */
export function clustersOf(resources: readonly Resource[]): Cluster[] {
  const graph = new Graph(resources);
  const providers = resources.filter(isProvider);
  const clouds = resources.filter((resource) => cloudOf(resource) && !graph.holdsCluster(resource));
  const isAbout = (resource: Resource, of: Resource): boolean =>
    !isProvider(resource) &&
    resource !== of &&
    !resource.type.startsWith("kubernetes:") &&
    graph.clusterOf(resource) === of;
  const providersOf = (of: Resource): Resource[] => {
    const own = providers.filter((provider) => graph.clusterOf(provider) === of);
    return own.length > 0 ? own : providers.filter((provider) => graph.clusterBefore(provider) === of);
  };
  const made = clouds.map((of): Cluster => {
    const own = providersOf(of);
    const cloud = cloudOf(of);
    const contents = resources.filter((resource) => isIn(resource, own) || isAbout(resource, of));
    return { name: of.name, of, ...(cloud && { cloud }), providers: own, contents };
  });
  const taken = new Set(made.flatMap((cluster) => cluster.providers));
  const reached = providers
    .filter((provider) => !taken.has(provider))
    .map((of): Cluster => ({ name: of.name, of, providers: [of], contents: resources.filter((r) => isIn(r, [of])) }));
  const loose = resources.filter(({ type, provider }) => type.startsWith("kubernetes:") && provider === undefined);
  return [...made, ...reached, ...(loose.length > 0 ? [{ name: "", providers: [], contents: loose }] : [])];
}

/** Whether two providers reach one cluster, by what they are given. */
export function reachSame(one: Resource, other: Resource): boolean {
  return ["kubeconfig", "context", "cluster"].every((name) => at(one.props, name) === at(other.props, name));
}

/** The options of each whole configuration of Cilium in there. What cannot be read throws, after all others. */
export function* ciliumIn(resources: readonly Resource[]): Generator<Options> {
  yield* inEach(resources, function* (resource) {
    for (const piece of piecesOf(resource))
      if (piece.kind === "cilium" && piece.extent === "whole") yield piece.options;
  });
}

/** Whether some Cilium in there encrypts. Throws where none is known to, and one cannot be read. */
export function isEncrypted(resources: readonly Resource[]): boolean {
  const encrypted = inEach(resources, function* (resource) {
    for (const options of ciliumIn([resource])) if (["wireguard", "ipsec"].includes(modeOf(options))) yield true;
  });
  return encrypted.next().done !== true;
}

/** One that only writes files reaches no cluster. */
function isProvider({ type, props }: Resource): boolean {
  return type === "pulumi:providers:kubernetes" && at(props, "renderYamlToDirectory") === undefined;
}

function isIn({ provider }: Resource, providers: readonly Resource[]): boolean {
  return provider !== undefined && providers.some(({ urn }) => urn === provider);
}

/** What comes from what. */
class Graph {
  private readonly byUrn: ReadonlyMap<string, Resource>;
  private readonly holders: ReadonlySet<Resource>;

  constructor(resources: readonly Resource[]) {
    this.byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    this.holders = new Set(resources.filter(cloudOf).flatMap((resource) => this.parentsOf(resource)));
  }

  /** Whether it is a component around a cluster, such as eks.Cluster. */
  holdsCluster(resource: Resource): boolean {
    return this.holders.has(resource);
  }

  /** The cluster that a resource's inputs come from, or of the component that it is a part of; the nearest. */
  clusterOf(resource: Resource): Resource | undefined {
    return this.nearest(resource, ({ dependencies = [] }) => dependencies);
  }

  /** The cluster that a provider waits for whose inputs come from nothing, as those of a kubeconfig that went through a promise. */
  clusterBefore(provider: Resource): Resource | undefined {
    const { dependencies = [] } = provider;
    return dependencies.length > 0 ? undefined : this.nearest(provider, ({ waitsFor = [] }) => waitsFor);
  }

  private nearest(resource: Resource, before: (each: Resource) => readonly string[]): Resource | undefined {
    const seen = new Set<Resource>([resource]);
    for (const each of seen) {
      const found = this.clusterAt(each);
      if (found && each !== resource) return found;
      for (const urn of before(each)) {
        const next = this.byUrn.get(urn);
        if (next) seen.add(next);
      }
      for (const parent of this.parentsOf(each)) if (this.holdsCluster(parent) && cloudOf(parent)) seen.add(parent);
    }
    return undefined;
  }

  /** A cluster itself, or the one in a component around it. */
  private clusterAt(resource: Resource): Resource | undefined {
    if (!cloudOf(resource)) return undefined;
    if (!this.holdsCluster(resource)) return resource;
    for (const each of this.byUrn.values())
      if (cloudOf(each) && !this.holdsCluster(each) && this.parentsOf(each).includes(resource)) return each;
    return undefined;
  }

  private parentsOf({ parent }: Resource): Resource[] {
    const found = parent === undefined ? undefined : this.byUrn.get(parent);
    return found ? [found, ...this.parentsOf(found)] : [];
  }
}
