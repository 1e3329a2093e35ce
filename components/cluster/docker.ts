import { tmpdir } from "node:os";
import { type CommandResult, runCommand } from "../../tools/command.ts";
import { UserError } from "../userError.ts";
import { networkOf, OWNER_LABEL } from "./kindState.ts";

/** Runs docker with these arguments and gives what it prints; the real one is `docker`. */
export type Docker = (...args: string[]) => Promise<string>;

/** Runs docker; a UserError with its last words where it fails. */
export const docker: Docker = async (...args) =>
  dockerOutput(args, await runCommand("docker", args, { cwd: tmpdir(), env: process.env }));

/** What docker printed, or a UserError with its last words. */
export function dockerOutput(args: string[], { code, stdout, stderr, failure }: CommandResult): string {
  if (code === 0) return stdout;
  const said = stderr.trim().split("\n").at(-1) || failure;
  throw new UserError([
    { key: "docker", message: `docker ${args[0]} failed: ${said}`, fix: "docker version   # must show a server" },
  ]);
}

/** A node of a kind cluster, as Docker shows its container. */
export interface NodeContainer {
  name: string;
  running: boolean;
  networks: string[];
}

/** What Docker shows of a cluster's name. */
export interface DockerView {
  nodes: NodeContainer[];
  /** The network called `networkOf(name)`, where there is one; its owner is empty where it has no label of ours. */
  network?: { owner: string };
}

/** Asks Docker what there is of a cluster's name. `ask` runs docker; a parameter for tests and time limits. */
export async function dockerView(name: string, ask: Docker = docker): Promise<DockerView> {
  const [nodes, networks] = await Promise.all([
    ask(
      "ps",
      "--all",
      "--no-trunc",
      "--filter",
      `label=io.x-k8s.kind.cluster=${name}`,
      "--format",
      "{{.Names}}\t{{.State}}\t{{.Networks}}",
    ),
    ask("network", "ls", "--filter", `name=^${networkOf(name)}$`, "--format", `{{.Name}}\t{{.Label "${OWNER_LABEL}"}}`),
  ]);
  const [network] = rows(networks);
  return {
    nodes: rows(nodes).map(([node = "", state, attached = ""]) => ({
      name: node,
      running: state === "running",
      networks: attached.split(","),
    })),
    ...(network && { network: { owner: network[1] ?? "" } }),
  };
}

/** The names of the clusters that this owner's networks were made for. */
export async function ownedClusters(owner: string): Promise<string[]> {
  const networks = await docker("network", "ls", "--filter", `label=${OWNER_LABEL}=${owner}`, "--format", "{{.Name}}");
  return rows(networks).flatMap(([network = ""]) =>
    network.startsWith(networkOf("")) ? [network.slice(networkOf("").length)] : [],
  );
}

function rows(text: string): string[][] {
  return text.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")]));
}
