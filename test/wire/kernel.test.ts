import { spawnSync } from "node:child_process";
import { tryKernel } from "../../doctor/kernel.ts";
import { realProbes } from "../../doctor/probes.ts";
import { describeUnless } from "../skip.ts";

const netns = `wirecloak-doctor-${process.pid}`;
const root = process.getuid?.() === 0;
const ip = (...args: string[]) => spawnSync("ip", args, { encoding: "utf8" });
const inNamespace = (...args: string[]) => ip("-netns", netns, ...args).status === 0;

describeUnless(root ? undefined : "needs root, for a network namespace", "the doctor's try of the kernel", () => {
  beforeAll(() => expect(ip("netns", "add", netns).stderr).toBe(""));
  afterAll(() => ip("netns", "delete", netns));

  test("says of WireGuard what a namespace of our own shows", async () => {
    const reality = inNamespace("link", "add", "wg0", "type", "wireguard");
    expect((await tryKernel("wireguard", realProbes())).outcome).toBe(reality ? "works" : "fails");
  });

  test("says of IPsec what a namespace of our own shows", async () => {
    const key = `0x${"5a".repeat(20)}`;
    const to = ["src", "192.0.2.1", "dst", "192.0.2.2", "proto", "esp", "spi", "7", "mode", "tunnel"];
    const reality = inNamespace("xfrm", "state", "add", ...to, "aead", "rfc4106(gcm(aes))", key, "128");
    expect((await tryKernel("ipsec", realProbes())).outcome).toBe(reality ? "works" : "fails");
  });

  test("leaves nothing behind on the machine", async () => {
    await Promise.all([tryKernel("wireguard", realProbes()), tryKernel("ipsec", realProbes())]);
    expect(ip("-o", "link").stdout).not.toContain("wirecloak0");
    expect(ip("xfrm", "state").stdout).not.toContain("192.0.2.1");
  });
});
