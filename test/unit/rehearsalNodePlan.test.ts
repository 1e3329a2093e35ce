import fc from "fast-check";
import { overlap, parseCidr } from "../../components/cidr.ts";
import { UserError } from "../../components/userError.ts";
import { planNodes } from "../../rehearsal/nodePlan.ts";

const spec = { name: "dev", workers: 3, podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" };

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(text);
  return parsed;
};

describe("the nodes of a rehearsal cluster", () => {
  test("are named as kind names them, the control plane first", () => {
    expect(planNodes(spec).map(({ name, controlPlane }) => [name, controlPlane])).toEqual([
      ["dev-control-plane", true],
      ["dev-worker", false],
      ["dev-worker2", false],
      ["dev-worker3", false],
    ]);
  });

  test("a cluster without workers has its control plane", () => {
    expect(planNodes({ ...spec, workers: 0 }).map(({ name }) => name)).toEqual(["dev-control-plane"]);
  });

  test.each([
    ["10.244.0.0/16", "10.244.0.64/26"],
    ["10.0.0.0/12", "10.0.1.0/24"],
    ["10.244.7.0/24", "10.244.7.64/26"],
    ["10.244.3.7/16", "10.244.0.64/26"],
  ])("of %s the second node gets %s", (podCidr, second) => {
    expect(planNodes({ ...spec, podCidr, serviceCidr: "10.96.0.0/16" })[1]?.podCidr).toBe(second);
  });

  test("a thousand nodes fit into the default range", () => {
    expect(planNodes({ ...spec, workers: 999 })).toHaveLength(1000);
  });

  test("more nodes than the range has room for are refused, with both numbers", () => {
    expect(() => planNodes({ ...spec, podCidr: "10.244.0.0/24", workers: 4 })).toThrow(UserError);
    expect(() => planNodes({ ...spec, podCidr: "10.244.0.0/24", workers: 4 })).toThrow(/room for 4 nodes.*and 5 are/s);
  });

  test("a range that is none is refused", () => {
    expect(() => planNodes({ ...spec, podCidr: "10.244.0.0" })).toThrow(UserError);
    expect(() => planNodes({ ...spec, podCidr: "fd00::/48" })).toThrow(UserError);
  });

  test("no two nodes share an address, and none is in the pods' or services' range", () => {
    const ranges = fc.constantFrom(
      "10.244.0.0/16",
      "172.16.0.0/12",
      "192.168.0.0/16",
      "172.30.0.0/16",
      "10.213.0.0/16",
    );
    fc.assert(
      fc.property(ranges, fc.nat(60), (podCidr, workers) => {
        const nodes = planNodes({ ...spec, podCidr, workers });
        expect(new Set(nodes.flatMap(({ ip, podCidr: share }) => [ip, share])).size).toBe(2 * nodes.length);
        for (const { ip, podCidr: share } of nodes) {
          expect(overlap(cidr(`${ip}/32`), cidr(podCidr))).toBe(false);
          expect(overlap(cidr(`${ip}/32`), cidr(spec.serviceCidr))).toBe(false);
          expect(overlap(cidr(share), cidr(podCidr))).toBe(true);
        }
      }),
    );
  });

  test("a scaled cluster keeps the nodes that stay as they are", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), (few, more) => {
        const before = planNodes({ ...spec, workers: few });
        expect(planNodes({ ...spec, workers: few + more }).slice(0, before.length)).toEqual(before);
      }),
    );
  });
});
