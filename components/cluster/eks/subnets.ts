import { type Cidr, parseCidr, part } from "../../cidr.ts";
import type { EksSettings } from "../../settings.ts";

/** The subnets of one availability zone. */
export interface ZoneSubnets {
  zone: string;
  /** For nodes, and for pods where they have addresses of the VPC. */
  private: string;
  /** For NAT gateways and load balancers. */
  public: string;
}

/** A VPC has eight parts whatever zones it has, so that one more zone leaves the subnets of the others as they are. Identity: never change. */
const PART_BITS = 3;

/** The last part is for public subnets, sixteen of them. */
const PUBLIC_BITS = 4;

/** The ranges of a VPC's subnets: a private part for each zone, in their order, and a small public subnet of the last part. */
export function zoneSubnets(vpc: string, zones: readonly string[]): ZoneSubnets[] {
  const publicPart = partOf(vpc, PART_BITS, 2 ** PART_BITS - 1);
  return zones.map((zone, index) => ({
    zone,
    private: partOf(vpc, PART_BITS, index),
    public: partOf(publicPart, PUBLIC_BITS, index),
  }));
}

/** Regions in which new accounts have no zone b. */
const WITHOUT_B: Readonly<Record<string, readonly string[]>> = { "ap-northeast-1": ["a", "c"] };

/** The zones that the settings ask for, or two of the region's. */
export function zonesOf({ region, vpc }: Pick<EksSettings, "region" | "vpc">): string[] {
  return vpc.zones ?? (WITHOUT_B[region] ?? ["a", "b"]).map((letter) => `${region}${letter}`);
}

/** Where nodes, and pods of the VPC, have their addresses, known before there is any of them. */
export function nodeRanges(cluster: EksSettings): [Cidr, ...Cidr[]] {
  const { cidr = "", nodeRanges: given } = cluster.vpc;
  const texts = given ?? zoneSubnets(cidr, zonesOf(cluster)).map((zone) => zone.private);
  const [first, ...others] = texts.flatMap((text) => parseCidr(text) ?? []);
  // The settings' checks leave none without a range (settingsEksGuard.ts).
  if (first === undefined) throw new RangeError("an EKS cluster without ranges of its nodes");
  return [first, ...others];
}

/** One of the equal parts of a range. */
function partOf(range: string, bits: number, index: number): string {
  const whole = parseCidr(range);
  if (whole === undefined) throw new RangeError(`not a range: ${range}`);
  const { address, prefix } = part(whole, bits, index);
  return `${address}/${prefix}`;
}
