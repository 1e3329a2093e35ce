import { driftText, judge } from "../../../../components/look/judge.ts";
import type { Looked } from "../../../../components/look/look.ts";
import type { Finding } from "../../../../doctor/doctor.ts";
import { settingsOf } from "../config.ts";
import { liveCluster, NOW } from "./liveCluster.ts";

const settings = settingsOf({ cluster: { provider: "rehearsal", name: "nobody-made-this" } });
const empty: Looked = { findings: [], problems: [] };
const update = { preview: false, now: NOW };
const preview = { preview: true, now: NOW };
const finding = (level: Finding["level"], what = "Docker"): Finding => ({ level, what, evidence: "It is so." });

describe("what comes of a look at machine and cluster", () => {
  test("nothing, where all is well and no cluster is there yet", () => {
    expect(judge(settings, empty, update)).toEqual({
      checked: { settings, live: undefined, repairs: { cilium: "", guard: "", admission: "", proof: "" } },
      ...{ warnings: [], drift: [], brokenGlass: [], problems: [] },
    });
  });

  test("nothing of what the doctor finds in order, a warning of its warnings, a refusal of its errors", () => {
    const findings = [finding("ok"), finding("warning", "kernel"), finding("error")];
    const { warnings, problems } = judge(settings, { ...empty, findings }, update);
    expect(warnings.map(({ key }) => key)).toEqual(["kernel"]);
    expect(problems.map(({ key }) => key)).toEqual(["Docker"]);
  });

  test("a cluster that has no admission policies goes without them", () => {
    const { checked } = judge(settings, { ...empty, findings: [finding("warning", "admission")] }, update);
    expect(checked.settings).toEqual({ ...settings, admission: false });
  });

  test("a refusal where it cannot be told whether there is a cluster", () => {
    const problems = [{ key: "k", message: "AWS does not say." }];
    expect(judge(settings, { ...empty, problems }, preview).problems).toEqual(problems);
  });

  test("of a cluster that does not answer a refusal, and in a preview, which changes nothing, a warning", () => {
    const looked = { ...empty, live: { unreachable: "no route to host", at: NOW.toISOString() } };
    const silent = expect.objectContaining({ message: expect.stringContaining("no route to host") });
    expect(judge(settings, looked, update)).toMatchObject({ warnings: [], problems: [silent] });
    expect(judge(settings, looked, preview)).toMatchObject({ warnings: [silent], problems: [] });
  });

  test("of a cluster that cannot be brought to the settings a refusal, in previews too, and no word of what is off", () => {
    const live = liveCluster("wireguard", ({ config }) => {
      if (config) Object.assign(config, { digest: "other", data: { ...config.data, "routing-mode": "native" } });
    });
    for (const moment of [update, preview]) {
      const { problems, drift } = judge(settings, { ...empty, live }, moment);
      expect(problems).toEqual([expect.objectContaining({ key: "wirecloak:cilium.routing" })]);
      expect(drift).toEqual([]);
    }
  });

  test("of a cluster that is not as the last update left it what is off, and new tokens for the repairs", () => {
    const live = liveCluster("wireguard", (it) => {
      it.config = null;
    });
    const { checked, drift, problems } = judge(settings, { ...empty, live }, update);
    expect(problems).toEqual([]);
    expect(drift).toContain("ConfigMap cilium-config was deleted");
    expect(checked.repairs).toMatchObject({
      cilium: expect.stringMatching(/./),
      proof: expect.stringMatching(/./),
      guard: "",
    });
  });
});

test("drift is told in one text, and none is not", () => {
  expect(driftText([])).toEqual([]);
  expect(driftText(["one", "two"])).toEqual([expect.stringMatching(/proves it:\n {2}- one\n {2}- two$/)]);
});
