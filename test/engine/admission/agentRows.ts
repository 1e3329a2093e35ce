import { agent, breakGlass, create, daemonSet, day, patch } from "./changes.ts";
import type { Row } from "./rows.ts";

export const WIREGUARD_AGENT_ROWS: Row[] = [
  [
    "agents with a flag",
    agent({ args: ["--enable-wireguard=false"] }),
    /agents so that.*: config-dir=\S+ enable-wireguard=false/,
  ],
  ["agents with a flag in capitals", agent({ args: ["--Enable-WireGuard=false"] }), /enable-wireguard=false/],
  [
    "agents with a flag among others",
    agent({ args: ["--debug", "--enable_wireguard=0", "--log-driver=syslog"] }),
    /enable-wireguard=0/,
  ],
  ["agents with the other mode's flag", agent({ args: ["--enable-ipsec"] }), /enable-ipsec=true/],
  [
    "agents whose last flag wins",
    agent({ args: ["--enable-wireguard=true", "--enable-wireguard=false"] }),
    /enable-wireguard=false/,
  ],
  [
    "agents in a shell",
    agent({ command: ["sh", "-c", "sleep 1; cilium-agent --enable-wireguard=false --debug"] }),
    /enable-wireguard=false/,
  ],
  [
    "agents in a shell, in quotes",
    agent({ command: ["sh", "-c", 'exec cilium-agent "--enable-wireguard=false"'] }),
    /enable-wireguard=false/,
  ],
  [
    "agents by environment",
    agent({ env: [{ name: "CILIUM_ENABLE_WIREGUARD", value: "false" }] }),
    /enable-wireguard=false/,
  ],
  [
    "agents by environment from elsewhere",
    agent({ env: [{ name: "CILIUM_ENABLE_WIREGUARD", valueFrom: { configMapKeyRef: { name: "x", key: "y" } } }] }),
    /enable-wireguard=/,
  ],
  ["agents with another configuration", agent({ args: ["--config-dir=/etc/mine"] }), /config-dir=\/etc\/mine/],
  ["agents with a file of their own", agent({ args: ["--config=/etc/mine.yaml"] }), /config=\/etc\/mine.yaml/],
  [
    "agents that read another ConfigMap",
    agent({}, { initContainers: [{ name: "more", args: ["--source=config-map:mine"] }] }),
    /source=config-map:mine/,
  ],
  [
    "agents beside the agent",
    agent({}, { others: [{ name: "side", command: ["cilium-agent", "--enable-wireguard=f"] }] }),
    /enable-wireguard=f/,
  ],
  [
    "agents taken out for no reason",
    agent({ args: ["--enable-wireguard=false"] }, { annotations: breakGlass(day(1), "") }),
    /do not count/,
  ],
  ["agents taken out", agent({ args: ["--enable-wireguard=false"] }, { annotations: breakGlass(day(1)) })],
  ["agents with a flag that says the same", agent({ args: ["--enable-wireguard", "--enable-ipsec=false"] })],
  [
    "agents in a shell that says the same",
    agent({ command: ["sh", "-c", 'cilium-agent "--enable-wireguard=true"; sleep 1'] }),
  ],
  ["agents with a flag that begins alike", agent({ args: ["--enable-wireguard-userspace-fallback=false"] })],
  [
    "agents with other flags and variables",
    agent({ args: ["--debug"], env: [{ name: "CILIUM_DEBUG", value: "false" }] }),
  ],
  [
    "agents whose text only looks like it",
    agent({ env: [{ name: "NOTE", value: "never set --enable-wireguard=false" }] }),
  ],
  ["agents of another image", agent({ image: "quay.io/cilium/cilium:v1.20.3" })],
  [
    "agents that start anew",
    patch("daemonsets", "cilium", { spec: { template: { metadata: { annotations: { again: "1" } } } } }),
  ],
  ["another DaemonSet", create("daemonsets", daemonSet({ args: ["--enable-wireguard=false"] }, { name: "other" }))],
];
