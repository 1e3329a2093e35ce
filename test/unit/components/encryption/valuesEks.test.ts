import { ciliumValues, expectedConfig } from "../../../../components/encryption/values.ts";
import { problemsOf, settingsOf } from "../config.ts";

const ROLE = "arn:aws:iam::111122223333:role/operator";
const config = (network: string, others: object = {}) => ({ cluster: { provider: "eks", network }, ...others });
const settings = (network: string, others: object = {}) => settingsOf(config(network, others));
const facts = { apiServer: { host: "api.example", port: 443 }, operatorRole: ROLE, nodeSubnets: ["subnet-0"] };

/** Every pair that Cilium has: no IPsec behind another CNI. */
const PAIRS = [
  ["eni", "wireguard"],
  ["eni", "ipsec"],
  ["overlay", "wireguard"],
  ["overlay", "ipsec"],
  ["chaining", "wireguard"],
] as const;

describe.each(PAIRS)("the values on EKS in network mode %s with %s", (network, encryption) => {
  test("as a whole", () => {
    expect(ciliumValues(settings(network, { encryption }), facts)).toMatchSnapshot();
  });

  test("encrypt, and have agents start anew on a change", () => {
    expect(ciliumValues(settings(network, { encryption }), facts)).toMatchObject({
      encryption: { enabled: true, type: encryption },
      rollOutCiliumPods: true,
    });
  });
});

describe("on EKS", () => {
  test("only ENI mode gives the operator a role in AWS", () => {
    expect(ciliumValues(settings("eni"), facts)).toMatchObject({
      eni: { enabled: true, iamRole: ROLE, subnetIDsFilter: ["subnet-0"] },
    });
    for (const network of ["overlay", "chaining"])
      expect(JSON.stringify(ciliumValues(settings(network), facts))).not.toContain(ROLE);
  });

  test("nodes do not hide the pods that the VPC routes", () => {
    for (const network of ["eni", "chaining"])
      expect(ciliumValues(settings(network), facts)).toMatchObject({
        routingMode: "native",
        enableIPv4Masquerade: false,
      });
    expect(ciliumValues(settings("overlay"), facts)).not.toHaveProperty("enableIPv4Masquerade");
  });

  test("agents need the API server's address but for kube-proxy's help", () => {
    expect(ciliumValues(settings("eni"), facts)).toMatchObject({ k8sServiceHost: "api.example", k8sServicePort: 443 });
    expect(ciliumValues(settings("chaining"), facts)).not.toHaveProperty("k8sServiceHost");
  });

  test("strict mode lets nodes speak whose addresses are in the pods' range, or no agent starts", () => {
    expect(expectedConfig(settings("eni", { strict: "true" }))).toMatchObject({
      "encryption-strict-egress-cidr": "10.0.0.0/16",
      "encryption-strict-egress-allow-remote-node-identities": "true",
    });
  });

  test.each([
    ["the operator's role", { eni: { iamRole: "x" } }, "eni.iamRole"],
    ["the subnets of pods", { eni: { subnetIDsFilter: ["subnet-0"] } }, "eni.subnetIDsFilter"],
    ["the subnets of pods by tags", { eni: { subnetTagsFilter: ["a=b"] } }, "eni.subnetTagsFilter"],
    ["masquerading", { enableIPv4Masquerade: true }, "enableIPv4Masquerade"],
  ])("%s is not the user's to set beside it", (_, values, path) => {
    const keys = problemsOf(config("eni", { cilium: { values } })).map(({ key }) => key);
    expect(keys).toEqual([`wirecloak:cilium.values.${path}`]);
  });
});
