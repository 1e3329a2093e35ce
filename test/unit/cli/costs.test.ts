import { costDrivers, mayCost } from "../../../cli/costs.ts";
import { loadSettings, type Settings } from "../../../components/settings.ts";

function settingsOf(cluster: object): Settings {
  const config = { "wirecloak:cluster": JSON.stringify(cluster) };
  return loadSettings(config, { projectRoot: "/p", today: "2026-11-29" }).settings;
}
const EKS = settingsOf({
  provider: "eks",
  vpc: { natGateways: "per-zone", zones: ["us-west-2a", "us-west-2b", "us-west-2c"] },
  nodeGroups: { workers: { nodes: 2, max: 5, instanceTypes: ["t3.medium"] } },
});
const never = { yes: false, ask: undefined };

describe("what a cluster costs", () => {
  let said: jest.SpyInstance;
  beforeEach(() => {
    said = jest.spyOn(console, "error").mockImplementation(() => {});
  });
  afterEach(() => said.mockRestore());

  test("is told by what drives it, with the numbers of the settings", () => {
    const drivers = costDrivers(EKS).join("\n");
    expect(drivers).toContain("the control plane");
    expect(drivers).toContain("2 x t3.medium");
    expect(drivers).toContain("up to 5");
    expect(drivers).toContain("NAT gateways: 3");
  });

  test("is no NAT gateway of ours in a VPC that is there", () => {
    const given = { id: "vpc-0123456789abcdef0", subnetIds: ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"] };
    const settings = settingsOf({ provider: "eks", vpc: { ...given, nodeRanges: ["10.20.0.0/18"] } });
    expect(costDrivers(settings).join("\n")).not.toContain("NAT");
  });

  test.each(["kind", "rehearsal"])("is nothing that %s would have to ask for", (provider) => {
    expect(costDrivers(settingsOf({ provider }))).toEqual([]);
  });

  test.each<[string, boolean]>([
    ["y", true],
    [" Yes ", true],
    ["", false],
    ["no", false],
    ["yesterday", false],
  ])("is agreed to by an answer of yes only: %j", async (answer, may) => {
    await expect(mayCost(EKS, { yes: false, ask: async () => answer })).resolves.toBe(may);
    expect(said.mock.calls.join()).toContain("the control plane");
  });

  test("is agreed to by --yes, and still told", async () => {
    await expect(mayCost(EKS, { ...never, yes: true })).resolves.toBe(true);
    expect(said.mock.calls.join()).toContain("NAT gateways");
  });

  test("is refused where nobody can be asked, with the word that would do", async () => {
    await expect(mayCost(EKS, never)).rejects.toThrow(/YES=1/);
  });
});
