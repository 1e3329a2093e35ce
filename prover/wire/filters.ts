/** What to capture. */
export interface CaptureScope {
  /** The port of this run's markers and controls, TCP and UDP. */
  markerPort: number;
  /** Address ranges of the pods, IPv4 and IPv6. */
  podCidrs: string[];
}

/** pcap filters. No packet matches both. */
export interface CaptureFilters {
  /** Everything that could be a leak or a control. */
  readable: string;
  /** Everything that looks encrypted; `encryptedSnapLength` bytes of each are enough. */
  encrypted: string;
}

/** Bytes of an encrypted packet that hold all headers up to ESP inside an overlay, IPv6 in IPv6. */
export const encryptedSnapLength = 192;

/** The two filters of a capture. */
export function captureFilters(scope: CaptureScope): CaptureFilters {
  const encrypted = "esp or udp port 51871";
  const readable = [
    `port ${scope.markerPort}`,
    "udp port 8472 or udp port 6081",
    ...scope.podCidrs.map((c) => `net ${c}`),
  ];
  return { readable: `(${readable.join(" or ")}) and not (${encrypted})`, encrypted };
}
