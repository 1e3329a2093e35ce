import type { Esp, Fragment, Layer, Overlay } from "./packet.ts";

/** What tcpdump's lines on a packet say. */
export interface LayersRead {
  /** Outermost first; empty where tcpdump or this reader could read none. */
  layers: Layer[];
  /** Of the innermost layer. */
  esp: Esp | null;
}

/** An IPv4 header takes a line; the addresses come on the next. */
type Ipv4Header = Pick<Layer, "protocol" | "fragment">;

/**
 * Reads the lines of one packet, its hex apart. Lines that it does not know end nothing and add nothing. Payload that
 * tcpdump prints begins with a tab, so it is never taken for a header: only what stands right after a tunnel's line may.
 */
export function readLayers(lines: string[]): LayersRead {
  const layers: Layer[] = [];
  let esp: Esp | null = null;
  let header: Ipv4Header | null = null;
  let inside = true;
  for (const line of lines) {
    let text: string = inside ? line.replace(/^\t/, "") : line;
    inside = false;
    const addresses: RegExpExecArray | null = header ? /^ {4}(\S+) > (\S+?):(?: (.*))?$/.exec(text) : null;
    if (header && addresses) {
      const [, src = "", dst = "", rest = ""] = addresses;
      layers.push({ ...ends(src, dst), ...header, overlay: null });
      text = rest.trimStart();
    }
    header = null;
    for (let ipv6 = readIpv6(text); ipv6; ipv6 = readIpv6(text)) {
      layers.push(ipv6.layer);
      text = ipv6.rest;
    }
    const arp = readArp(text);
    if (arp) layers.push(arp);
    header = readIpv4(text);
    const last = layers.at(-1);
    if (!last) continue;
    const carried: string = text.replace(/^\[[^\]]*(?:cksum|sum ok)[^\]]*\] /, "");
    const overlay = overlayOf(carried);
    last.overlay ??= overlay;
    inside = overlay !== null || carried.startsWith("GREv");
    esp = readEsp(text) ?? esp;
  }
  return { layers, esp };
}

function readIpv4(text: string): Ipv4Header | null {
  const match =
    /^IP (?:truncated-ip[^(]*)?\(tos .*?, id (\d+), offset (\d+), flags \[([^\]]*)\], proto (.+?) \(\d+\), length (\d+)/.exec(
      text,
    );
  if (!match) return null;
  const [, id, offset, flags = "", protocol = "", length] = match;
  const fragment = { id: Number(id), offset: Number(offset), length: Number(length) - 20, more: flags.includes("+") };
  return { protocol, fragment: fragment.more || fragment.offset > 0 ? fragment : null };
}

/** Hop-by-hop options, routing, fragment, destination options: the protocol comes behind them. */
const extensionHeaders = new Set(["0", "43", "44", "60"]);

function readIpv6(text: string): { layer: Layer; rest: string } | null {
  const [, next = "", number = "", src = "", dst = "", rest = ""] =
    /^IP6 (?:truncated-ip6[^(]*)?\(.*?next-header (.+?) \((\d+)\) payload length: \d+\) (\S+) > (\S+?):(?: (.*))?$/.exec(
      text,
    ) ?? [];
  if (src === "") return null;
  const layer: Layer = { ...ends(src, dst), protocol: next, fragment: null, overlay: null };
  if (!extensionHeaders.has(number)) return { layer, rest };
  // `frag (0x00000063:0|16) 40000 > 7777: UDP, length 11`
  const [, sport, dport, behindPorts] = /^(?:[^>]*? )?(\d+) > (\d+): (.*)$/.exec(rest) ?? [];
  const words = behindPorts ?? /(?:ESP\(|(?:\[[^\]]*\] )?ICMP6,|IP6? \().*$/.exec(rest)?.[0] ?? "";
  return {
    layer: {
      ...layer,
      sport: sport === undefined ? null : Number(sport),
      dport: dport === undefined ? null : Number(dport),
      protocol: protocolOf(words) ?? next,
      fragment: readIpv6Fragment(rest),
    },
    rest: words,
  };
}

/** tcpdump does not tell an IPv6 fragment's "more" flag: only of the first one is it sure. */
function readIpv6Fragment(text: string): Fragment | null {
  const [, id, offset, length] = /\bfrag \(0x([0-9a-f]+):(\d+)\|(\d+)\)/.exec(text) ?? [];
  if (id === undefined) return null;
  return { id: Number.parseInt(id, 16), offset: Number(offset), length: Number(length), more: Number(offset) === 0 };
}

/** The protocol behind extension headers, by the words that follow them. */
function protocolOf(text: string): string | null {
  if (/^Flags \[|^tcp /.test(text)) return "TCP";
  if (/^(?:\[[^\]]*\] )?(?:UDP,|OTV,|VXLAN,|Geneve,)/.test(text)) return "UDP";
  if (/^(?:\[[^\]]*\] )?ICMP6,/.test(text)) return "ICMPv6";
  return text.startsWith("ESP(") ? "ESP" : null;
}

function readArp(text: string): Layer | null {
  if (!text.startsWith("ARP, ")) return null;
  const [, asked, asking] = /who-has ([^\s,]+).* tell ([^\s,]+)/.exec(text) ?? [];
  const told = /Reply ([^\s,]+) is-at/.exec(text)?.[1];
  const src = asking ?? told ?? "";
  return { src, dst: asked ?? src, sport: null, dport: null, protocol: "ARP", fragment: null, overlay: null };
}

function readEsp(text: string): Esp | null {
  const [, spi, sequence] = /^ESP\(spi=0x([0-9a-f]+),seq=0x([0-9a-f]+)\)/.exec(text) ?? [];
  if (spi === undefined || sequence === undefined) return null;
  return { spi: Number.parseInt(spi, 16), sequence: Number.parseInt(sequence, 16) };
}

/** tcpdump takes UDP port 8472 for OTV, an older use of the same header. */
function overlayOf(text: string): Overlay | null {
  if (text.startsWith("OTV, ") || text.startsWith("VXLAN, ")) return "vxlan";
  return text.startsWith("Geneve, ") ? "geneve" : null;
}

/** `10.244.1.5.40000` is an address and a port, `fd00::5.40000` too. */
function ends(src: string, dst: string): Pick<Layer, "src" | "dst" | "sport" | "dport"> {
  const [from, to] = [end(src), end(dst)];
  return { src: from.address, dst: to.address, sport: from.port, dport: to.port };
}

function end(text: string): { address: string; port: number | null } {
  const [, address, port] =
    /^(\d+\.\d+\.\d+\.\d+|[0-9a-f]*:[0-9a-f:]*(?:\d+\.\d+\.\d+\.\d+)?)\.(\d+)$/.exec(text) ?? [];
  return address === undefined ? { address: text, port: null } : { address, port: Number(port) };
}
