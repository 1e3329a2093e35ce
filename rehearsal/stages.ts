/**
 * The pods that are kwok's: those of kube-system, and Cilium's own wherever it is installed, but for its agents. The agent
 * program plays all others itself, with processes and packets (watch.go has the same rule).
 */
const KWOKS =
  '(.metadata.namespace == "kube-system" or .metadata.labels["app.kubernetes.io/part-of"] == "cilium")' +
  ' and .metadata.labels["k8s-app"] != "cilium"';
/** The pods that the agent program plays and takes off the API server itself; the agents' kwok does. */
const PLAYED =
  '.metadata.namespace != "kube-system" and .metadata.labels["app.kubernetes.io/part-of"] != "cilium"' +
  ' and .metadata.labels["k8s-app"] != "cilium"';

/**
 * What kwok does with pods: everything starts at once and stays, except Jobs, which complete. The agents' pods are left to
 * the agent program, and so are nodes; but without any stage for them kwok would not renew their leases, so there is one that no node meets.
 */
export function stages(): object[] {
  const alive = { key: ".metadata.deletionTimestamp", operator: "DoesNotExist" };
  const ofJob = (operator: string) => ({ key: ".metadata.ownerReferences.[].kind", operator, values: ["Job"] });
  return [
    stage("Node", "node-lease", [{ key: ".status.phase", operator: "In", values: ["Terminated"] }], {
      statusTemplate: "phase: Terminated",
    }),
    stage(
      "Pod",
      "pod-ready",
      [
        alive,
        { key: KWOKS, operator: "In", values: ["true"] },
        { key: ".status.phase", operator: "In", values: ["Pending"] },
      ],
      { statusTemplate: READY },
    ),
    // A node that becomes Ready just as its pod does leaves the pod marked as not Ready; a kubelet would report the pod again.
    stage(
      "Pod",
      "pod-ready-again",
      [
        alive,
        { key: KWOKS, operator: "In", values: ["true"] },
        { key: ".status.phase", operator: "In", values: ["Running"] },
        { key: '.status.conditions.[] | select( .type == "Ready" ) | .status', operator: "In", values: ["False"] },
        ofJob("NotIn"),
      ],
      { statusTemplate: READY },
    ),
    stage(
      "Pod",
      "pod-complete",
      [
        alive,
        { key: KWOKS, operator: "In", values: ["true"] },
        { key: ".status.phase", operator: "In", values: ["Running"] },
        ofJob("In"),
      ],
      { statusTemplate: COMPLETE },
    ),
    stage(
      "Pod",
      "pod-delete",
      [
        { key: ".metadata.deletionTimestamp", operator: "Exists" },
        { key: PLAYED, operator: "NotIn", values: ["true"] },
      ],
      { delete: true },
    ),
  ];
}

function stage(kind: "Node" | "Pod", name: string, matchExpressions: object[], next: object): object {
  return {
    apiVersion: "kwok.x-k8s.io/v1alpha1",
    kind: "Stage",
    metadata: { name },
    spec: { resourceRef: { apiGroup: "v1", kind }, selector: { matchExpressions }, next },
  };
}

/** Go templates of kwok's: the function names are its own. */
const READY = `
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
{{ range $type := list "Initialized" "Ready" "ContainersReady" }}
- lastTransitionTime: {{ $now | Quote }}
  status: "True"
  type: {{ $type | Quote }}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: true
  started: true
  restartCount: 0
  state:
    running:
      startedAt: {{ $now | Quote }}
{{ end }}
initContainerStatuses:
{{ range .spec.initContainers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: true
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
{{ with NodeIPsWith .spec.nodeName }}
hostIP: {{ index . 0 | Quote }}
hostIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
{{ with PodIPsWith .spec.nodeName (or .spec.hostNetwork false) (or .metadata.uid "") (or .metadata.name "") (or .metadata.namespace "") }}
podIP: {{ index . 0 | Quote }}
podIPs:
{{ range . }}
- ip: {{ . | Quote }}
{{ end }}
{{ end }}
`;

const COMPLETE = `
{{ $now := Now }}
phase: Succeeded
containerStatuses:
{{ range .spec.containers }}
- image: {{ .image | Quote }}
  name: {{ .name | Quote }}
  ready: false
  started: false
  restartCount: 0
  state:
    terminated:
      exitCode: 0
      reason: Completed
      startedAt: {{ $now | Quote }}
      finishedAt: {{ $now | Quote }}
{{ end }}
`;
