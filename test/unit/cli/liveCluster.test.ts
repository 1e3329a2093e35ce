import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onThisMachine } from "../../../cli/liveCluster.ts";
import { SHOW_GUARD } from "../../../components/encryption/guard/question.ts";
import { clusterFiles } from "../../../tools/paths.ts";
import { settingsOf } from "../components/config.ts";
import { intentFor } from "../proverTroubles/healthy.ts";

const guard = {
  command: ["node", "/elsewhere/components/encryption/guard/main.ts", "show"],
  input: "{}",
  forms: ["ipsec"],
};
const intent = { ...intentFor("ipsec"), guard };

describe("the cluster of an update that ran elsewhere", () => {
  let folder: string;
  const state = process.env.WIRECLOAK_STATE_DIR;
  const given = () => join(folder, "given");
  const settings = (cluster: object) => settingsOf({ encryption: "ipsec", cluster });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "wirecloak-"));
    process.env.WIRECLOAK_STATE_DIR = folder;
    writeFileSync(given(), "{}");
  });
  afterEach(() => {
    if (state === undefined) delete process.env.WIRECLOAK_STATE_DIR;
    else process.env.WIRECLOAK_STATE_DIR = state;
    rmSync(folder, { recursive: true });
  });

  test("is reached by the kubeconfig that the settings name here", async () => {
    const existing = settings({ provider: "existing", name: "prod", kubeconfig: given() });
    const found = await onThisMachine({ intent, kubeconfig: "/elsewhere/kubeconfig" }, existing);
    expect(found.kubeconfig).toBe(given());
  });

  test("is reached by the kubeconfig that belongs to it here, in a cloud", async () => {
    const { kubeconfig } = clusterFiles(folder, "prod");
    mkdirSync(dirname(kubeconfig), { recursive: true });
    writeFileSync(kubeconfig, "{}");
    const found = await onThisMachine(
      { intent, kubeconfig: "/elsewhere/kubeconfig" },
      settings({ provider: "eks", name: "prod" }),
    );
    expect(found.kubeconfig).toBe(kubeconfig);
  });

  test("keeps its kubeconfig where that is here", async () => {
    const found = await onThisMachine({ intent, kubeconfig: given() }, settings({ provider: "eks", name: "prod" }));
    expect(found.kubeconfig).toBe(given());
  });

  test("has its guard shown by the program that is here", async () => {
    const found = await onThisMachine({ intent, kubeconfig: given() }, settings({ provider: "eks", name: "prod" }));
    expect(found.intent.guard).toEqual({ ...guard, command: SHOW_GUARD });
    const without = await onThisMachine({ intent: { ...intent, guard: null }, kubeconfig: given() }, settings({}));
    expect(without.intent.guard).toBeNull();
  });
});
