import type { V1Container, V1Namespace, V1Pod } from "@kubernetes/client-node";

/** Identity: by these labels namespaces that an earlier run left are found. */
const LABELS = { "app.kubernetes.io/managed-by": "wirecloak", "app.kubernetes.io/component": "probe" };
export const PROBE_LABELS = Object.entries(LABELS)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");

/** When a run is over, whatever became of it. */
const EXPIRES = "wirecloak.io/expires";

/** The pods of a node's probe: `host` is in the node's network and captures, `talker` is in the pod network and talks. */
export type Role = "host" | "talker";

export interface ProbeSpec {
  image: string;
  markerPort: number;
  /** The host pod talks as well: node encryption is on. */
  hostTalks: boolean;
  /** Seconds after which Kubernetes ends the pods by itself. */
  deadline: number;
}

/** Where the pods of one run live; its removal removes them. */
export function probeNamespace(name: string, expires: Date): V1Namespace {
  return {
    metadata: {
      name,
      labels: {
        ...LABELS,
        // The host network and NET_RAW are refused otherwise.
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/warn": "privileged",
      },
      annotations: { [EXPIRES]: expires.toISOString() },
    },
  };
}

/** The namespaces of runs that must be over and left theirs behind, and are not being deleted yet. */
export function expired(namespaces: readonly V1Namespace[], now: Date): string[] {
  return namespaces
    .filter(({ metadata }) => {
      const expires = Date.parse(metadata?.annotations?.[EXPIRES] ?? "");
      // Without a date it is not certain that this run's own sort made it.
      return expires < now.getTime() && metadata?.deletionTimestamp === undefined;
    })
    .map(({ metadata }) => metadata?.name ?? "");
}

/** Name of a node's pod; the index keeps it short and valid whatever the node is called. */
export function podName(role: Role, index: number): string {
  return `${role}-${index}`;
}

/** The pod in the node's network. Raw sockets need root in Kubernetes, which has no way to give an ordinary user NET_RAW. */
export function hostPod(index: number, node: string, spec: ProbeSpec): V1Pod {
  return pod("host", index, node, spec, {
    command: ["sh", "-c", spec.hostTalks ? echoScript(spec.markerPort) : WAIT],
    securityContext: {
      ...CONFINED,
      runAsUser: 0,
      capabilities: { drop: ["ALL"], add: ["NET_RAW"] },
    },
  });
}

/** The pod in the pod network, without any privilege; `command` absent: it sends back what comes. */
export function talkerPod(
  index: number,
  node: string,
  spec: Omit<ProbeSpec, "hostTalks">,
  command: string[] = ["sh", "-c", echoScript(spec.markerPort)],
): V1Pod {
  return pod("talker", index, node, spec, {
    command,
    securityContext: {
      ...CONFINED,
      runAsNonRoot: true,
      runAsUser: NOBODY,
      runAsGroup: NOBODY,
      capabilities: { drop: ["ALL"] },
    },
  });
}

const NOBODY = 65534;

const CONFINED = {
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  seccompProfile: { type: "RuntimeDefault" },
};

/** Ends at once when the pod is removed: a shell as process 1 ignores signals that it has no trap for. */
const WAIT = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done";

/** Sends back what comes, on both protocols and address families; a family that the node lacks ends by itself. */
function echoScript(port: number): string {
  const servers = [
    `TCP4-LISTEN:${port},fork,reuseaddr,max-children=64`,
    `TCP6-LISTEN:${port},ipv6only=1,fork,reuseaddr,max-children=64`,
    `UDP4-RECVFROM:${port},fork,reuseaddr`,
    `UDP6-RECVFROM:${port},ipv6only=1,fork,reuseaddr`,
  ];
  return [...servers.map((server) => `socat -T 5 ${server} PIPE 2>/dev/null &`), WAIT].join("\n");
}

function pod(
  role: Role,
  index: number,
  node: string,
  { image, deadline }: Pick<ProbeSpec, "image" | "deadline">,
  container: Pick<V1Container, "command" | "securityContext">,
): V1Pod {
  return {
    metadata: { name: podName(role, index), labels: { ...LABELS, "wirecloak.io/role": role } },
    spec: {
      // Past the scheduler, onto this very node, whatever taints it has.
      nodeName: node,
      tolerations: [{ operator: "Exists" }],
      hostNetwork: role === "host",
      restartPolicy: "Never",
      activeDeadlineSeconds: deadline,
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containers: [
        {
          name: role,
          image,
          imagePullPolicy: "IfNotPresent",
          ...container,
          resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "128Mi" } },
        },
      ],
    },
  };
}
