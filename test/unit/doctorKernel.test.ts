import { checkKernel, judgeKernel, type ModuleState, moduleStates, type Try, tryKernel } from "../../doctor/kernel.ts";
import { machine } from "./doctorProbes.ts";

const works: Try = { outcome: "works", said: "" };
const fails: Try = { outcome: "fails", said: "Error: Unknown device type." };
const untried: Try = { outcome: "untried", said: "Operation not permitted" };

describe("the kernel's verdict", () => {
  test.each<[string, Try, ModuleState, "ok" | "warning" | "error", RegExp | undefined]>([
    ["a try that works is enough, whatever the files say", works, "missing", "ok", undefined],
    ["a try that fails is enough, whatever the files say", fails, "loaded", "error", /another|use Linux/],
    [
      "a try that fails where the module is there asks to load it",
      fails,
      "available",
      "error",
      /modprobe -a wireguard/,
    ],
    ["no right to try, module loaded", untried, "loaded", "ok", undefined],
    ["no right to try, module to be loaded", untried, "available", "warning", /modprobe/],
    ["no right to try, no module", untried, "missing", "error", /rehearsal/],
    ["no right to try, nothing to read", untried, "unknown", "warning", /modprobe/],
  ])("%s", (_rule, tried, state, level, fix) => {
    const finding = judgeKernel("wireguard", "6.12.0", tried, new Map([["wireguard", state]]));
    expect(finding.level).toBe(level);
    if (fix) expect(finding.fix).toMatch(fix);
  });

  test("nothing is needed without encryption, and nothing tried", async () => {
    const probes = machine();
    expect(await checkKernel("none", probes)).toMatchObject({ level: "ok" });
    expect(probes.ran).toEqual([]);
  });

  test("IPsec is tried with the cipher that Cilium uses", async () => {
    const probes = machine([[/^unshare/, {}]]);
    expect(await checkKernel("ipsec", probes)).toMatchObject({ level: "ok" });
    expect(probes.ran[0]).toMatch(/^unshare --net ip xfrm state add .* aead rfc4106\(gcm\(aes\)\) 0x(00){20} 128$/);
  });
});

describe("a try", () => {
  test.each([
    ["no right to a namespace", { code: 1, stderr: "unshare: unshare failed: Operation not permitted" }, "untried"],
    ["no ip", { code: 127, stderr: "unshare: failed to execute ip: No such file or directory" }, "untried"],
    ["no unshare", { code: null, failure: "ENOENT" }, "untried"],
    ["the kernel knows no such device", { code: 2, stderr: "Error: Unknown device type." }, "fails"],
    ["the kernel knows no such cipher", { code: 2, stderr: "Error: Requested AEAD algorithm not found." }, "fails"],
    ["the kernel knows no ESP", { code: 2, stderr: "RTNETLINK answers: Protocol not supported" }, "fails"],
  ])("where %s: %j is %s", async (_why, answer, outcome) => {
    expect(await tryKernel("wireguard", machine([[/^unshare/, answer]]))).toMatchObject({ outcome });
  });

  test("without root takes a user namespace", async () => {
    const probes = machine([[/^unshare/, {}]], { root: false });
    await tryKernel("wireguard", probes);
    expect(probes.ran[0]).toMatch(/^unshare --user --map-root-user --net ip /);
  });
});

describe("where a module stands", () => {
  const files = (given: Record<string, string>) => ({ kernel: "6.12.0", read: (path: string) => given[path] });
  test.each<[string, Record<string, string>, ModuleState]>([
    ["it is loaded", { "/proc/modules": "wireguard 94208 0 - Live 0x0\n" }, "loaded"],
    [
      "it is built in",
      { "/lib/modules/6.12.0/modules.builtin": "kernel/drivers/net/wireguard/wireguard.ko\n" },
      "loaded",
    ],
    [
      "it is on the disk",
      { "/lib/modules/6.12.0/modules.dep": "kernel/drivers/net/wireguard/wireguard.ko.zst: a.ko\n" },
      "available",
    ],
    ["the disk has others", { "/lib/modules/6.12.0/modules.dep": "kernel/net/veth.ko:\n" }, "missing"],
    ["the configuration builds it in", { "/proc/config.gz": "CONFIG_WIREGUARD=y\n" }, "loaded"],
    ["the configuration builds a module", { "/boot/config-6.12.0": "CONFIG_WIREGUARD=m\n" }, "available"],
    ["the configuration leaves it out", { "/proc/config.gz": "# CONFIG_WIREGUARD is not set\n" }, "missing"],
    ["another module only begins like it", { "/proc/modules": "wireguard_other 1 0\n" }, "unknown"],
    ["there is nothing to read", {}, "unknown"],
  ])("%s", (_why, given, state) => {
    expect(moduleStates("wireguard", files(given)).get("wireguard")).toBe(state);
  });

  test("a file's name may have - for the module's _", () => {
    const dep = "kernel/net/xfrm/xfrm-user.ko:\n";
    expect(moduleStates("ipsec", files({ "/lib/modules/6.12.0/modules.dep": dep })).get("xfrm_user")).toBe("available");
  });
});
