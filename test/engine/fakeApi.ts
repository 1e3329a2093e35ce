import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a cluster has, as far as it is asked: objects as the Kubernetes API shows them. */
export interface FakeCluster {
  nodes?: object[];
  daemonSets?: object[];
}

/** A Kubernetes API that can be read only, and has as much as tells whose Cilium a cluster runs. */
export class FakeApi {
  cluster: FakeCluster = {};
  private readonly server = createServer(({ method, url = "" }, response) => {
    const answer = method === "GET" ? this.answer(url.split("?", 1)[0] ?? "") : undefined;
    response.writeHead(answer ? 200 : 404, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer ?? { kind: "Status", apiVersion: "v1", status: "Failure", code: 404 }));
  });

  /** Begins to listen, on a port of its own. */
  async start(): Promise<void> {
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** A kubeconfig that reaches it. */
  kubeconfig(): object {
    const { port } = this.server.address() as AddressInfo;
    return kubeconfigOf(`http://127.0.0.1:${port}`, { token: "none" });
  }

  private answer(path: string): object | undefined {
    const { nodes = [], daemonSets = [] } = this.cluster;
    switch (path) {
      case "/version":
        return { major: "1", minor: "34", gitVersion: "v1.34.1" };
      case "/api":
        return { kind: "APIVersions", versions: ["v1"] };
      case "/apis":
        return { kind: "APIGroupList", apiVersion: "v1", groups: [{ name: "apps", ...APPS }] };
      case "/api/v1":
        return resources("v1", [
          ["namespaces", "Namespace", false],
          ["nodes", "Node", false],
        ]);
      case "/apis/apps/v1":
        return resources("apps/v1", [["daemonsets", "DaemonSet", true]]);
      case "/api/v1/namespaces/kube-system":
        return { kind: "Namespace", apiVersion: "v1", metadata: { name: "kube-system", uid: "fake" } };
      case "/api/v1/nodes":
        return { kind: "NodeList", apiVersion: "v1", metadata: {}, items: nodes };
      case "/apis/apps/v1/namespaces/kube-system/daemonsets":
        return { kind: "DaemonSetList", apiVersion: "apps/v1", metadata: {}, items: daemonSets };
      default:
        return undefined;
    }
  }
}

/** A kubeconfig with one context. */
export function kubeconfigOf(server: string, user: object): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "fake", cluster: { server } }],
    contexts: [{ name: "fake", context: { cluster: "fake", user: "fake" } }],
    users: [{ name: "fake", user }],
    "current-context": "fake",
  };
}

const V1 = { groupVersion: "apps/v1", version: "v1" };
const APPS = { versions: [V1], preferredVersion: V1 };

/** What discovery says of a group's kinds. */
function resources(groupVersion: string, kinds: [name: string, kind: string, namespaced: boolean][]): object {
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion,
    resources: kinds.map(([name, kind, namespaced]) => ({
      name,
      kind,
      namespaced,
      singularName: "",
      verbs: ["get", "list"],
    })),
  };
}
