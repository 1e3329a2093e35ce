import { z } from "zod";

/** Where packets to other nodes leave a node. */
export interface Egress {
  device: string;
  /** Its Ethernet address. */
  mac: string;
}

/** Asks for the way to another node, and for all devices; the answers are two JSON documents on a line each. */
export function deviceCommand(peer: string): string[] {
  return ["sh", "-c", 'ip -j route get "$1" && ip -j addr show', "device", peer];
}

const routes = z.array(z.looseObject({ dev: z.string().optional() }));
const links = z.array(
  z.looseObject({
    ifname: z.string().optional(),
    link_type: z.string().optional(),
    address: z.string().optional(),
    addr_info: z.array(z.looseObject({ local: z.string().optional() })).default([]),
  }),
);

/**
 * Reads the answer. With node encryption the way to another node may lead into a tunnel device, where packets are still readable
 * by design; the wire is then the device that holds the node's own address.
 */
export function parseEgress(output: string, nodeIps: readonly string[]): Egress | { silent: string } {
  const [route, devices] = output.split("\n").filter((line) => line.startsWith("["));
  const all = read(links, devices);
  const [first] = read(routes, route);
  const wires = all.filter(
    ({ ifname, link_type }) => link_type === "ether" && ifname !== undefined && !/^(cilium_|lxc)/.test(ifname),
  );
  const wire =
    wires.find(({ ifname }) => ifname === first?.dev) ??
    wires.find(({ addr_info }) => addr_info.some(({ local }) => local !== undefined && nodeIps.includes(local)));
  if (wire?.ifname && wire.address) return { device: wire.ifname, mac: wire.address };
  return { silent: `has no Ethernet device towards the other nodes (its way there is ${first?.dev ?? "unknown"})` };
}

function read<T>(shape: z.ZodType<T[]>, line: string | undefined): T[] {
  try {
    const parsed = shape.safeParse(JSON.parse(line ?? "[]"));
    return parsed.success ? parsed.data : [];
  } catch {
    return [];
  }
}
