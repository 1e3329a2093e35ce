import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { wire } from "../../../components/wiring.ts";
import { checked, run } from "./program.ts";

// Recorded from index.ts as it was before the library came. Each is the identity of a resource in stacks that people have: another one deletes it and makes
// a new one, the cluster and the key among them.
const urns = JSON.parse(readFileSync(join(__dirname, "urns.json"), "utf8")) as Record<"kind" | "rehearsal", string[]>;

jest.setTimeout(60_000);

describe("our own program", () => {
  test.each(["rehearsal", "kind"] as const)("has the resources it always had, by their identities: %s", (provider) => {
    const config = {
      "wirecloak:encryption": "ipsec",
      "wirecloak:cluster": JSON.stringify({ provider, name: "dev", workers: 1 }),
    };
    const { stdout, stderr } = spawnSync(process.execPath, [join(__dirname, "ourProgram.ts")], {
      env: { ...process.env, PULUMI_CONFIG: JSON.stringify(config) },
      encoding: "utf8",
    });
    if (stdout === "") throw new Error(stderr);
    expect(JSON.parse(stdout)).toEqual({ urns: urns[provider], resources: urns[provider].length });
  });

  test("has the guard before Cilium, Cilium before the proof, and the record last", async () => {
    const config = { encryption: "ipsec", cluster: { provider: "kind", name: "dev", workers: 1 } };
    const { waitsFor } = await run((recording) => wire(checked(config), { opts: recording }));
    expect((await waitsFor("cilium-release")).join()).toMatch(
      /guard-kind-dev-widen.*admission-widen.*cilium-ipsec-keys/,
    );
    expect((await waitsFor("proof-read-back")).join()).toContain("::agents");
    expect((await waitsFor("guard-kind-dev-narrow")).join()).toContain("::proof");
    expect((await waitsFor("watch-end")).join()).toMatch(/::proof.*::guard/);
    expect((await waitsFor("record-look")).join()).toMatch(/::proof.*::guard.*::admission.*watch-end/);
  });

  test("opens the guard for allowed plaintext before the proof, which could show nothing else", async () => {
    const allowPlaintext = { reason: "a test", until: "2099-01-01" };
    const config = { encryption: "none", allowPlaintext, cluster: { provider: "kind", name: "dev", workers: 1 } };
    const { waitsFor } = await run((recording) => wire(checked(config), { opts: recording }));
    expect((await waitsFor("guard-kind-dev-narrow")).join()).toContain("::agents");
    expect((await waitsFor("proof-read-back")).join()).toContain("guard-kind-dev-narrow");
  });
});
