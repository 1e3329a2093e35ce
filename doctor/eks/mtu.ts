import type { EncryptionMode, Settings } from "../../components/settings.ts";
import { type Finding, ok, warning } from "../finding.ts";
import type { Route } from "./questions.ts";

/** Bytes of a packet in a VPC (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/network_mtu.html), and through a transit gateway (https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-quotas.html, "MTU"). */
const VPC = 9001;
const TRANSIT_GATEWAY = 8500;

/** Bytes that Cilium leaves room for (its pkg/mtu; WireGuard 80 in older versions); of a tunnel, with Geneve as with VXLAN. */
const ROOM: Readonly<Record<EncryptionMode, number>> = { wireguard: 95, ipsec: 77, none: 0 };
const TUNNEL = 50;

/** The largest packet of a pod to a pod of another node, and what else it may meet. */
export function judgeMtu(
  { encryption, cilium }: Pick<Settings, "encryption" | "cilium">,
  routes: readonly Route[] = [],
): Finding[] {
  const tunnelled = cilium.routing === "tunnel";
  const largest = VPC - ROOM[encryption] - (tunnelled ? TUNNEL : 0);
  const less = [
    ...(ROOM[encryption] > 0 ? [`${ROOM[encryption]} for ${encryption}`] : []),
    ...(tunnelled ? [`${TUNNEL} for the tunnel`] : []),
  ];
  const evidence = `A VPC carries packets of ${VPC} bytes; between nodes about ${largest} are left to pods${less.length > 0 ? ` (${less.join(", ")})` : ""}. Cilium sets that by itself. To the internet it is 1500.`;
  const transit = [
    ...new Set(
      routes.filter(({ TransitGatewayId: id }) => id !== undefined).flatMap((route) => route.TransitGatewayId ?? []),
    ),
  ];
  if (transit.length === 0) return [ok("MTU", evidence)];
  const beyond = `Traffic through ${transit.join(", ")} may have ${TRANSIT_GATEWAY} bytes, over a VPN 1500: AWS makes TCP smaller by itself, but drops larger UDP.`;
  return [ok("MTU", evidence), warning("MTU", beyond, "UDP to networks behind it in packets of at most 1400 bytes")];
}
