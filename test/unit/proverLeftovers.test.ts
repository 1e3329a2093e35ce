import { leftoverChecks } from "../../prover/checks/leftovers.ts";
import { judge } from "../../prover/judge.ts";
import { leftoverCommands, parseLeftovers } from "../../prover/leftovers.ts";
import type { LeftoversSeen } from "../../prover/observation.ts";
import { type Case, healthy, intentFor } from "./proverTroubles/healthy.ts";

const LINKS = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
3: cilium_net@cilium_host: <BROADCAST,MULTICAST,NOARP,UP,LOWER_UP> mtu 1500
4: cilium_vxlan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500
5: cilium_wg0: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1420`;

describe("what other modes left on a node", () => {
  test("is read as iproute2 prints it", () => {
    expect(parseLeftovers(`${LINKS}\n\t SAD count 4\n\t SPD IN  2 OUT 3 FWD 1\n`)).toEqual({
      devices: ["cilium_net", "cilium_vxlan", "cilium_wg0"],
      xfrm: { states: 4, policies: 6 },
    });
    expect(parseLeftovers("Cannot send dump request: Protocol not supported")).toEqual({ devices: [], xfrm: null });
  });

  test("is asked for without listing XFRM states, which would print keys", () => {
    for (const command of leftoverCommands(intentFor("wireguard")).filter((words) => words.includes("xfrm")))
      expect(command.at(-1)).toBe("count");
  });

  const clean: LeftoversSeen = {
    node: "dev-worker1",
    pod: "cilium-1",
    devices: ["cilium_host", "cilium_vxlan"],
    xfrm: null,
  };
  const wg = { ...clean, devices: [...clean.devices, "cilium_wg0"] };
  const xfrm = { ...clean, xfrm: { states: 4, policies: 5 } };

  test.each<[string, Case, LeftoversSeen, RegExp[]]>([
    ["nothing stale", "ipsec", clean, []],
    ["WireGuard's device in its own mode", "wireguard", wg, []],
    ["WireGuard's device after a switch to IPsec", "ipsec", wg, [/still has the device cilium_wg0/]],
    ["WireGuard's device without encryption", "none", wg, [/still has the device cilium_wg0/]],
    [
      "IPsec's states after a switch to WireGuard",
      "wireguard",
      { ...wg, ...{ xfrm: xfrm.xfrm } },
      [/still has 4 XFRM states and 5 policies/],
    ],
    ["IPsec's states in its own mode", "ipsec", xfrm, []],
    ["no states", "wireguard", { ...wg, xfrm: { states: 0, policies: 0 } }, []],
    [
      "a tunnel of another protocol",
      "wireguard",
      { ...wg, devices: ["cilium_vxlan", "cilium_geneve"] },
      [/cilium_geneve/],
    ],
  ])("is a note: %s", (_, mode, seen, messages) => {
    const intent = intentFor(mode);
    const { findings, verdict } = judge(intent, { ...healthy(mode), leftovers: [seen] }, leftoverChecks);
    expect(findings.map(({ message, effect }) => [effect, message])).toEqual(
      messages.map((message) => ["note", expect.stringMatching(message)]),
    );
    expect(verdict).toBe(mode === "none" ? "not proven" : "proven");
  });

  test("in native routing, a tunnel", () => {
    const intent = { ...intentFor("wireguard"), overlay: null };
    expect(judge(intent, { ...healthy("wireguard"), leftovers: [wg] }, leftoverChecks).findings).toHaveLength(1);
  });
});
