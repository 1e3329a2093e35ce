import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { checkedConfig } from "../../components/look/checked.ts";

const RECORDED = join(import.meta.dirname, "doctorEks");

let folder: string;
const { PATH, AWS_ANSWERS } = process.env;
beforeEach(() => {
  jest.spyOn(pulumi.log, "warn").mockResolvedValue();
  folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
  cpSync(join(RECORDED, "answers"), folder, { recursive: true });
  writeFileSync(join(folder, "helm"), "#!/bin/sh\necho name: cilium; echo version: 1.20.2\n", { mode: 0o755 });
  Object.assign(process.env, { PATH: `${folder}:${join(RECORDED, "bin")}:${PATH}`, AWS_ANSWERS: folder });
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true });
  process.env.PATH = PATH;
  if (AWS_ANSWERS === undefined) delete process.env.AWS_ANSWERS;
});

/** How often AWS is asked by a run of the program. */
async function questions({ preview }: { preview: boolean }): Promise<number> {
  const newResource = () => ({ id: "", state: {} });
  await pulumi.runtime.setMocks({ newResource, call: () => ({}) }, "wirecloak", "eks", preview);
  pulumi.runtime.setAllConfig({
    "wirecloak:encryption": "wireguard",
    "wirecloak:cluster": JSON.stringify({ provider: "eks", endpoint: { allowedCidrs: ["203.0.113.7/32"] } }),
  });
  // Refused where the SDK is not installed, after AWS has been asked.
  await checkedConfig().catch((refused) => expect(refused).toBeInstanceOf(pulumi.RunError));
  return readFileSync(join(folder, "asked"), "utf8").trim().split("\n").length;
}

test("a preview asks the account, and the update after it only whose the credentials are and whether the cluster is there", async () => {
  expect(await questions({ preview: true })).toBeGreaterThan(10);
  rmSync(join(folder, "asked"));
  expect(await questions({ preview: false })).toBe(2);
});
