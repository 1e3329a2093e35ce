import { brokenGlassText } from "../../cli/brokenGlassText.ts";
import type { Live, Unreachable } from "../../components/live/live.ts";
import { glassText, judge } from "../../components/look/judge.ts";
import { BREAK_GLASS, brokenGlassIn, glassSentence, glassStanding } from "../../prover/live/brokenGlass.ts";
import { settingsOf } from "./components/config.ts";
import { liveCluster } from "./components/live/liveCluster.ts";

const NOW = new Date("2026-11-21T23:30:00Z");
const MOMENT = { preview: true, now: NOW };

/** What an update tells people of it. */
function glassTold(live: Live | Unreachable | undefined): string[] {
  const settings = settingsOf({ cluster: { provider: "rehearsal", name: "nobody-made-this" } });
  const { brokenGlass } = judge(settings, { findings: [], problems: [], ...(live && { live }) }, MOMENT);
  return glassText(brokenGlass);
}

/** cilium-config as somebody has annotated it; undefined: without that annotation. */
function config(until: string | undefined, reason: string | undefined) {
  const annotations = {
    ...(until !== undefined && { [BREAK_GLASS.until]: until }),
    ...(reason !== undefined && { [BREAK_GLASS.reason]: reason }),
  };
  const wrote = (fields: object) => ({ "f:metadata": { "f:annotations": fields } });
  const managedFields = [
    { manager: "helm", time: "2026-11-21T12:00:00Z", fieldsV1: { "f:data": {}, ...wrote({ "f:meta.helm.sh/x": {} }) } },
    { manager: "kubectl-patch", time: "2026-11-21T10:00:00Z", fieldsV1: wrote({ [`f:${BREAK_GLASS.until}`]: {} }) },
  ];
  const found = brokenGlassIn("ConfigMap", {
    name: "cilium-config",
    namespace: "kube-system",
    annotations,
    managedFields,
  });
  return found;
}

function broken(until: string | undefined, reason: string | undefined) {
  const [glass] = config(until, reason);
  if (!glass) throw new Error("nothing found");
  return glass;
}

describe("break-glass", () => {
  test("is what either annotation says, by who last wrote one of the two; without them there is none", () => {
    const by = { manager: "kubectl-patch", operation: "", time: "2026-11-21T10:00:00.000Z" };
    const object = { kind: "ConfigMap", namespace: "kube-system", name: "cilium-config" };
    expect(config("2027-01-31", " a test ")).toEqual([{ ...object, until: "2027-01-31", reason: "a test", by }]);
    expect(config(undefined, "a test")).toMatchObject([{ until: "", reason: "a test" }]);
    expect(config(undefined, undefined)).toEqual([]);
    expect(brokenGlassIn("Secret")).toEqual([]);
  });

  test.each([
    ["its day is to come", "2026-11-22", "a test", "in force"],
    ["its day is not over", "2026-11-21", "a test", "in force"],
    ["its day is over", "2026-11-20", "a test", "expired"],
    ["it has no reason", "2027-01-31", undefined, "without effect"],
    ["its reason is empty", "2027-01-31", "  ", "without effect"],
    ["it has no day", undefined, "a test", "without effect"],
    ["its day is none", "tomorrow", "a test", "without effect"],
    ["its day is a time", "2027-01-31T00:00:00Z", "a test", "without effect"],
  ])("where %s: until %s, reason %s, it is %s", (_, until, reason, standing) => {
    expect(glassStanding(broken(until, reason), NOW)).toBe(standing);
  });

  test("is told with who, what, until when, and the command that takes it off", () => {
    expect(glassSentence(broken("2027-01-31", "a test"), NOW)).toBe(
      'break-glass on ConfigMap cilium-config is in force (by kubectl-patch at 2026-11-21T10:00:00.000Z, until "2027-01-31", reason "a test"): ' +
        "admission lets changes of it through until the end of that day (UTC); once encryption is as it should be, take it off: " +
        "kubectl -n kube-system annotate configmap cilium-config wirecloak.io/plaintext-until- wirecloak.io/plaintext-reason-",
    );
    expect(glassSentence(broken("2026-11-20", "a test"), NOW)).toMatch(/is expired .*lets nothing through.*annotate/);
    expect(glassSentence(broken("2027-01-31", ""), NOW)).toMatch(/is without effect .*needs a reason.*annotate/);
  });

  test("brings no control character and no long text to a terminal", () => {
    const sentence = glassSentence(broken("\u001b[2J", `line\n\u009b31m${"x".repeat(100_000)}`), NOW);
    expect(sentence).toContain('until " [2J", reason "line  31mxxx');
    expect(sentence).not.toMatch(/\p{C}/u);
    expect(sentence.length).toBeLessThan(1000);
  });

  test("is a warning of each preview and update, which leaves it, and a line of status; where there is none, neither", () => {
    const live = liveCluster("wireguard", (each) => {
      each.brokenGlass = [broken("2027-01-31", "a test"), broken("2026-11-20", "older")];
    });
    expect(glassTold(live)).toEqual([
      expect.stringMatching(/leaves that as it is:\n {2}- break-glass .* in force .*\n {2}- break-glass .* expired /),
    ]);
    expect(brokenGlassText(live.brokenGlass, NOW)).toMatch(/^break-glass .* in force .*\nbreak-glass .* expired .*\n$/);
    expect(glassTold(liveCluster("wireguard"))).toEqual([]);
    expect(glassTold(undefined)).toEqual([]);
    expect(glassTold({ unreachable: "refused", at: "" })).toEqual([]);
    expect(brokenGlassText([], NOW)).toBe("");
  });
});
