import { BlockList } from "node:net";
import { parseCidr } from "../../components/cidr.ts";

/** Whether an address is in one of these ranges, or is one of these addresses. Answers are kept: the corpus has few addresses and asks often. */
export function within(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const text of ranges) {
    const alone = text.includes(":") ? `${text}/128` : `${text}/32`;
    const range = parseCidr(text.includes("/") ? text : alone);
    if (range === undefined) throw new Error(`no range: ${text}`);
    list.addSubnet(range.address, range.prefix, range.family);
  }
  const known = new Map<string, boolean>();
  return (address) => {
    const answer = known.get(address) ?? list.check(address, address.includes(":") ? "ipv6" : "ipv4");
    known.set(address, answer);
    return answer;
  };
}
