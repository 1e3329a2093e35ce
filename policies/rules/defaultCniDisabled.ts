import { type Cluster, ciliumIn, clustersOf } from "../clusters/clusters.ts";
import { at, calledIn, isTree, kindOf, type Resource, textAt } from "../resource.ts";
import type { Breach, Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** DaemonSets and charts that are a CNI of pods: not those that only add to one (Multus, istio-cni). */
const DAEMON_SETS =
  /^(calico-node|canal|kube-flannel(-ds)?|weave-net|antrea-agent|kube-router|kube-ovn-cni|aws-node|kindnet|azure-cni(-networkmonitor)?)$/;
const CHARTS = /(^|\/)(calico|tigera-operator|canal|flannel|weave-net|antrea|kube-router|kube-ovn|aws-vpc-cni)$/;

/** Pods get their network from Cilium, and from nothing beside it. */
export const defaultCniDisabled: Rule = {
  name: "default-cni-disabled",
  title: "No other CNI is beside Cilium",
  description:
    "A cluster with Cilium has no other CNI, neither the cloud's own nor another chart: pods that get their network from it are not encrypted by Cilium. Chaining, where Cilium is told to work on top of another, is exempt.",
  level: "mandatory",
  severity: "high",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-7" }],
  remediation: [
    "EKS: bootstrapSelfManagedAddons: false and no vpc-cni addon. AKS: networkPlugin none. GKE: no Dataplane V2. Others: take the other CNI out.",
    "To run Cilium on top of another CNI, set cni.chainingMode.",
  ],
  url: "https://docs.cilium.io/en/stable/installation/k8s-install-helm/",
  checkAll: (resources) =>
    inEach(clustersOf(resources), function* (cluster): Generator<Breach> {
      for (const breach of inEach([ofCloud, ofContents], (find) => find(cluster))) {
        // Asked only where there is something, since Cilium's own settings may be unknown.
        if (!hasUnchained(cluster)) return;
        yield breach;
      }
    }),
};

/** Whether there is a Cilium which is the pods' only network. */
function hasUnchained({ contents }: Cluster): boolean {
  const chaining = [...ciliumIn(contents)].map((options) => options.get("cni-chaining-mode") ?? "none");
  return chaining.length > 0 && chaining.every((mode) => mode === "none");
}

function ofContents({ contents, name }: Cluster): Iterable<Breach> {
  return inEach(contents, (resource) => {
    const what = otherCni(resource);
    return what ? [{ message: `${what} is another CNI beside Cilium`, urn: resource.urn, cluster: name }] : [];
  });
}

function* ofCloud({ cloud, of, contents, name }: Cluster): Generator<Breach> {
  const why = of && cloud?.otherCni?.(of.props);
  // Cilium's own way out on EKS: a selector that no node matches.
  if (!why || contents.some((resource) => isDaemonSet(resource, "aws-node") && isNowhere(resource))) return;
  yield { message: `${cloud?.what} ${name}: ${why}`, urn: of.urn, cluster: name };
}

/** What of another CNI a resource is; undefined where it is none. */
function otherCni(resource: Resource): string | undefined {
  const { type, props } = resource;
  if (/^(aws:eks\/addon|aws-native:eks):Addon$/.test(type))
    return textAt(props, "addonName") === "vpc-cni" ? `The addon vpc-cni (${resource.name})` : undefined;
  if (/^eks:index:VpcCni(Addon)?$/.test(type)) return `The VPC CNI (${resource.name})`;
  if (type.startsWith("kubernetes:helm.sh/")) {
    const chart = textAt(props, "chart")?.replace(/[-:]v?\d[^/]*$/, "");
    return chart !== undefined && CHARTS.test(chart) ? `The chart ${chart}` : undefined;
  }
  if (!isDaemonSet(resource) || isNowhere(resource)) return undefined;
  const called = calledIn(resource);
  return DAEMON_SETS.test(called) ? `DaemonSet ${called}` : undefined;
}

function isDaemonSet(resource: Resource, called = calledIn(resource)): boolean {
  return kindOf(resource)?.kind === "DaemonSet" && calledIn(resource) === called;
}

/** Whether it is kept from all nodes, as Cilium's guide does with aws-node. */
function isNowhere({ props }: Resource): boolean {
  const selector = at(props, "spec", "template", "spec", "nodeSelector");
  return isTree(selector) && "io.cilium/aws-node-enabled" in selector;
}
