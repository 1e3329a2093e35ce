import { parseCidr } from "../../../../components/cidr.ts";
import { type Form, union } from "../../../../components/encryption/guard/forms.ts";
import {
  BLIND,
  controlPlaneRules,
  indistinguishable,
  type SecurityGroupEgressRule,
  type SecurityGroupRule,
  securityGroupEgressRules,
  securityGroupRules,
} from "../../../../components/encryption/guard/securityGroup.ts";

const MODES = ["wireguard", "wireguard-nodes", "ipsec"] as const satisfies Form[];
const SWITCHES = MODES.flatMap((one) => MODES.map((other) => union([one], [other])));
const nodeRanges = [parseCidr("10.0.0.0/16") ?? fail()] as const;

const lines = (rules: readonly (SecurityGroupRule | SecurityGroupEgressRule)[]) =>
  rules.map(({ name, form, protocol, fromPort, toPort, peer, description }) =>
    [name, form, protocol, fromPort ?? "", toPort ?? "", JSON.stringify(peer), description].join(" | "),
  );

describe("a security group lets in", () => {
  test.each(MODES)("in %s", (form) => {
    expect(lines(securityGroupRules([form]))).toMatchSnapshot();
  });

  test.each(SWITCHES)("during a change what each mode has, and nothing else: %s %s", (...forms) => {
    const known = forms.filter((form) => form !== undefined);
    const alone = known.flatMap((form) => lines(securityGroupRules([form])));
    expect(lines(securityGroupRules(known)).toSorted()).toEqual([...new Set(alone)].toSorted());
  });

  test("nothing of what nodes send each other in general", () => {
    const open = securityGroupRules(["ipsec", "wireguard"]).filter(
      ({ protocol, fromPort, toPort }) =>
        !["50", "icmp"].includes(protocol) && (fromPort === undefined || fromPort !== toPort),
    );
    expect(open).toEqual([]);
  });

  test("all of what nodes send each other where there is no ciphertext, and only there", () => {
    const all = (forms: Form[]) =>
      [securityGroupRules(forms), securityGroupEgressRules(forms, { nodeRanges })].map((rules) =>
        rules.filter(({ protocol, peer }) => protocol === "-1" && peer === "nodes").map(({ name }) => name),
      );
    expect(all([])).toEqual([["unguarded-from-nodes"], ["unguarded-to-nodes"]]);
    for (const forms of SWITCHES) expect(all(forms)).toEqual([[], []]);
  });

  test("no rule twice, which AWS would refuse: a webhook on the kubelet's port", () => {
    const rows = securityGroupRules(["wireguard"], { webhookPorts: [10_250, 9443] });
    const kubelet = rows.filter(({ fromPort, peer }) => fromPort === 10_250 && peer === "control-plane");
    expect(kubelet.map(({ name }) => name)).toEqual(["kubelet-tcp-10250-from-control-plane"]);
    expect(rows.map(({ name }) => name)).toContain("webhooks-tcp-9443-from-control-plane");
  });
});

describe("each rule", () => {
  const everywhere = SWITCHES.flatMap((forms) => [
    ...securityGroupRules(forms),
    ...securityGroupEgressRules(forms, { nodeRanges }),
    ...controlPlaneRules(),
  ]);

  test("has one name for one thing, whatever else is in force, so that a change leaves it alone", () => {
    const things = new Map<string, Set<string>>();
    for (const rule of everywhere) {
      const { name, description: _, ...thing } = rule;
      things.set(name, (things.get(name) ?? new Set()).add(JSON.stringify(thing)));
    }
    expect([...things].filter(([, forms]) => forms.size > 1)).toEqual([]);
  });

  test("that belongs to a mode has the mode in its name", () => {
    const named = everywhere.filter(({ form }) => form !== null);
    expect(named.filter(({ name, form }) => !name.startsWith(`${form}-`))).toEqual([]);
    expect(new Set(named.map(({ form }) => form))).toEqual(new Set(["wireguard", "ipsec"]));
  });

  test("has a description that AWS takes", () => {
    // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html
    const odd = everywhere.filter(
      ({ description }) => !/^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{1,255}$/.test(description),
    );
    expect(odd).toEqual([]);
  });
});

describe("a security group lets out", () => {
  test("in ipsec", () => {
    expect(lines(securityGroupEgressRules(["ipsec"], { nodeRanges }))).toMatchSnapshot();
  });

  test("no more rules than a security group may have, for nodes in three far subnets", () => {
    const subnets = ["10.0.0.0/19", "10.99.32.0/19", "10.200.64.0/19"].flatMap((text) => parseCidr(text) ?? []);
    const rules = securityGroupEgressRules(["wireguard", "ipsec"], { nodeRanges: [...nodeRanges, ...subnets] });
    expect(rules.length).toBeLessThanOrEqual(60);
  });
});

test("the control plane lets nodes ask its API server", () => {
  expect(lines(controlPlaneRules())).toEqual([
    'managed-api-server-tcp-443-from-nodes |  | tcp | 443 | 443 | "nodes" | API server of a managed control plane, from nodes',
  ]);
});

describe("what a security group cannot tell", () => {
  test.each<[Form[], RegExp[]]>([
    [["wireguard"], [/51871/, /fragmentation needed/]],
    [["ipsec"], [/fragmentation needed/]],
    [
      ["wireguard", "ipsec"],
      [/51871/, /fragmentation needed/],
    ],
    [["ipsec-in-overlay"], [/VXLAN/, /fragmentation needed/]],
  ])("%j", (forms, expected) => {
    const [...along] = indistinguishable(forms).filter(
      (sentence) => !(Object.values(BLIND) as string[]).includes(sentence),
    );
    expect(along).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
    expect(indistinguishable(forms)).toEqual(expect.arrayContaining(Object.values(BLIND)));
  });

  test("is all of the overlay up to Cilium 1.17 in a tunnel, so there is no such guard", () => {
    const refused = expect.objectContaining({ message: expect.stringMatching(/Readable VXLAN and Geneve pass/) });
    expect(() => securityGroupRules(["ipsec-in-overlay"])).toThrow(refused);
    expect(() => securityGroupRules(["wireguard", "ipsec-in-overlay"])).toThrow(refused);
    expect(() => securityGroupEgressRules(["ipsec-in-overlay"], { nodeRanges })).toThrow(refused);
  });
});

function fail(): never {
  throw new Error("not a range");
}
