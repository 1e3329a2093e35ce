import { findOnPath } from "../tools/findOnPath.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Probes } from "./probes.ts";

/** Capabilities by their bits in /proc/self/status (capability.h): to make network namespaces, and devices in them. */
const NEEDED = { CAP_SYS_ADMIN: 21, CAP_NET_ADMIN: 12 };

/** The programs that run in a rehearsal's pods, each with its Debian package. */
const PROGRAMS = { tcpdump: "tcpdump", socat: "socat", ip: "iproute2", nft: "nftables" };

/** Whether a rehearsal can have real packets; without them it still works, and proves nothing. */
export function checkWire(probes: Probes): Finding {
  const what = "wire";
  const without = "The rehearsal will have no wire, and every verdict will be not proven";
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(probes.read("/proc/self/status") ?? "")?.[1];
  const rights = BigInt(`0x${effective ?? "0"}`);
  const lacking = Object.entries(NEEDED).flatMap(([name, bit]) => ((rights >> BigInt(bit)) & 1n ? [] : [name]));
  if (lacking.length > 0)
    return warning(what, `${without}: this user lacks ${lacking.join(" and ")}.`, "run it as root");
  // Not run, since this is asked at each update.
  const isThere = (name: string) => findOnPath(name, probes.env.PATH ?? "").length > 0;
  const missing = Object.entries(PROGRAMS).filter(([name]) => !isThere(name));
  if (missing.length === 0 && !isThere("python3"))
    return warning(what, "Changes will not be watched in full: python3 missing.", "apt-get install python3");
  if (missing.length === 0) return ok(what, "Real packets can be had in network namespaces.");
  const names = missing.map(([name]) => name).join(", ");
  return warning(
    what,
    `${without}: ${names} missing.`,
    `apt-get install ${missing.map(([, debian]) => debian).join(" ")}`,
  );
}
