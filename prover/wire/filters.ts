import { fewerRanges, parseRange, rangeText } from "./addresses.ts";

/** What to capture. */
export interface CaptureScope {
  /** The port of this run's markers and controls, TCP and UDP. */
  markerPort: number;
  /** Address ranges of the pods, IPv4 and IPv6. */
  podCidrs: string[];
}

/** pcap filters. No packet matches both, so that none is counted twice. */
export interface CaptureFilters {
  /** Everything that could be a leak or a control. */
  readable: string;
  /** Everything that looks encrypted; `encryptedSnapLength` bytes of each are enough. */
  encrypted: string;
}

/** Bytes of an encrypted packet that hold all headers up to ESP inside an overlay, IPv6 in IPv6. */
export const encryptedSnapLength = 192;

/**
 * A kernel takes filters of up to 4,096 instructions, and an IPv6 range costs some ten. Ranges made wider catch more than
 * need be, which `Sightings` sorts out.
 */
const maxRanges = 350;

/**
 * The two filters of a capture. They do not look into VLAN tags: capture on the device by which the node routes to the
 * others, where frames have none (on `eth0.100`, not on `eth0`).
 */
export function captureFilters({ markerPort, podCidrs }: CaptureScope): CaptureFilters {
  const pods = fewerRanges(
    podCidrs.flatMap((cidr) => parseRange(cidr) ?? []),
    maxRanges,
  );
  const readable = [
    `tcp port ${markerPort}`,
    `udp port ${markerPort}`,
    // Both overlays whatever the settings say: a device that an older mode left may still send (mirendev/runtime #987).
    "udp port 8472",
    "udp port 6081",
    // Later fragments have no ports.
    "ip[6:2] & 0x1fff != 0",
    "ip6 proto 44",
    // `ip` and `ip6` keep ARP for a pod address out.
    ...pods.map((range) => `${range.family === 4 ? "ip" : "ip6"} net ${rangeText(range)}`),
  ].join(" or ");
  const encrypted = ["ip proto 50", "ip6 proto 50", "udp port 51871", ...espInOverlay].join(" or ");
  return { readable: `(${readable}) and not (${encrypted})`, encrypted };
}

/**
 * ESP between nodes inside the overlay: IPsec of Cilium up to 1.17. Offsets count from the UDP header (IPv4 outside) or
 * the IPv6 header: 8 of UDP, 8 of VXLAN or Geneve and Geneve's options, 12 to the inner EtherType. `greater` keeps
 * the offsets inside of the packet, for a load beyond its end refuses it by both filters.
 */
const espInOverlay = [
  { port: 8472, options: { ipv4: "", ipv6: "" } },
  { port: 6081, options: { ipv4: " + (udp[8] & 0x3f) * 4", ipv6: " + (ip6[48] & 0x3f) * 4" } },
].flatMap(({ port, options }) => [
  `(ip and udp port ${port} and greater 84 and ${innerEsp("udp", 28, options.ipv4)})`,
  `(ip6 and udp port ${port} and greater 104 and ${innerEsp("ip6", 68, options.ipv6)})`,
]);

function innerEsp(header: "udp" | "ip6", etherType: number, options: string): string {
  const at = (offset: number, size = "") => `${header}[${offset}${options}${size}]`;
  const ipv4 = `(${at(etherType, ":2")} = 0x0800 and ${at(etherType + 11)} = 50)`;
  const ipv6 = `(${at(etherType, ":2")} = 0x86dd and ${at(etherType + 8)} = 50)`;
  return `(${ipv4} or ${ipv6})`;
}
