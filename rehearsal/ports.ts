import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { UserError } from "../components/userError.ts";
import type { Ports } from "./record.ts";

/** Where everything of a rehearsal listens. */
export const HOST = "127.0.0.1";

/** Below the range from which Linux takes ports for outgoing connections, which would clash by chance. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 50;

const NAMES = [
  "apiServer",
  "etcd",
  "etcdPeer",
  "controllerManager",
  "scheduler",
  "kwok",
  "kubelet",
] as const satisfies (keyof Ports)[];

/** Ports that nobody listens on now, in a row. Whoever calls holds a lock until the processes listen. */
export async function choosePorts(isFree: (port: number) => Promise<boolean> = isPortFree): Promise<Ports> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const first = randomInt(LOWEST, HIGHEST);
    const ports = Object.fromEntries(NAMES.map((name, index) => [name, first + index])) as unknown as Ports;
    const free = await Promise.all(Object.values(ports).map(isFree));
    if (free.every(Boolean)) return ports;
  }
  throw new UserError([
    {
      key: "ports",
      value: `${LOWEST}-${HIGHEST}`,
      message: "No seven free ports in a row were found on loopback.",
      fix: "ss -ltn",
    },
  ]);
}

/** Whether a program could listen on the port of loopback now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", () => resolve(false))
      .listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** kwokctl's options for these ports, all on loopback: its defaults are every address, and ports that another kwokctl may choose in the same moment. */
export function kwokPorts(ports: Ports) {
  return {
    bindAddress: HOST,
    kubeApiserverPort: ports.apiServer,
    etcdPort: ports.etcd,
    etcdPeerPort: ports.etcdPeer,
    kubeControllerManagerPort: ports.controllerManager,
    kubeSchedulerPort: ports.scheduler,
    kwokControllerPort: ports.kwok,
  };
}
