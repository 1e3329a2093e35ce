import { controlFrame } from "../../prover/wire/controlFrame.ts";
import { captureFilters } from "../../prover/wire/filters.ts";
import { describeUnless } from "../skip.ts";
import { caught, read, tcpdump, told, withoutTcpdump } from "./realTcpdump.ts";

const filters = captureFilters({ markerPort: 7777, podCidrs: [] });
const v4 = { nodeIp: "172.30.0.2", target: "192.0.2.1", innerSrc: "10.244.1.5", innerDst: "10.244.2.6" };
const v6 = { nodeIp: "2001:db8:1::2", target: "2001:db8::1", innerSrc: "fd00:1::5", innerDst: "fd00:2::6" };
const forms = [
  { form: "bare", overlayPort: 0 },
  { form: "vxlan", overlayPort: 8472 },
  { form: "geneve", overlayPort: 6081 },
] as const;
const cases = forms.flatMap((form) =>
  [v4, v6].flatMap(({ nodeIp, target }) =>
    [v4, v6].map(({ innerSrc, innerDst }) => ({ ...form, nodeIp, target, innerSrc, innerDst })),
  ),
);

describeUnless(withoutTcpdump, "a control frame, read by the real tcpdump", () => {
  test.each(cases)("$form from $nodeIp, inside $innerSrc, is read as a leak would be", ({ target, ...how }) => {
    // Also of an odd length, which a checksum pads.
    for (const marker of ["wirecloak-control-0123456789abcdef", "wirecloak-odd"]) {
      const frame = controlFrame({ ...how, mac: "02:00:5e:10:00:ab", markerPort: 7777, marker });
      const { form, nodeIp, innerSrc, innerDst, overlayPort } = how;
      const inner = `${innerSrc}.7777 > ${innerDst}.7777 UDP`;
      const overlay = `${nodeIp}.50000 > ${target}.${overlayPort} UDP ${form} | ${inner}`;
      const [packet] = read(frame);
      expect(told(packet)).toBe(form === "bare" ? `${nodeIp}.7777 > ${target}.7777 UDP` : overlay);
      expect(packet?.bytes.includes(marker)).toBe(true);
      expect(caught([frame], filters.readable)).toEqual([0]);
      expect(caught([frame], filters.encrypted)).toEqual([]);
      const words = tcpdump([frame], "-vv", "-e");
      expect(words).toContain("02:00:5e:10:00:ab > 02:00:5e:10:00:ab, ethertype IP");
      expect(words.match(/udp sum ok/g)).toHaveLength(form === "bare" ? 1 : 2);
      expect(words).not.toMatch(/bad|incorrect|wrong|truncated|\[\|/);
    }
  });

  test("is refused with an address that is none", () => {
    const how = {
      form: "bare",
      mac: "02:00:00:00:00:01",
      innerSrc: "",
      innerDst: "",
      markerPort: 1,
      overlayPort: 1,
    } as const;
    expect(() => controlFrame({ ...how, nodeIp: "worker1", marker: "m" })).toThrow("not an IP address: worker1");
  });
});
