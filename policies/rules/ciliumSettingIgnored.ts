import { isKnownIn, OLDEST, settingAt } from "../cilium/chartSettings.ts";
import { minorOf } from "../cilium/versions.ts";
import { at, isTree, type Tree, UnreadError } from "../resource.ts";
import type { Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** No value is set in vain: the chart takes what it does not know, and says nothing. */
export const ciliumSettingIgnored: Rule = {
  name: "cilium-setting-ignored",
  title: "No encryption setting is ignored by the chart",
  description:
    "Every value in the chart's encryption block is one that this version of the chart reads: a misspelt one, or one of another version, does nothing, without a word.",
  level: "mandatory",
  severity: "high",
  supports: [{ framework: "NIST SP 800-53r5", clause: "SC-8(1)" }],
  remediation: ["Spell the value as this version of the chart does, or take it out."],
  url: "https://docs.cilium.io/en/stable/helm-reference/",
  check: function* (piece) {
    if (piece.kind !== "cilium" || !piece.helm) return;
    const { what, version = () => ({}), helm } = piece;
    yield* inEach(leavesIn(at(helm.values, "encryption")), ({ path, get }) => {
      const setting = settingAt(path);
      const said = `${what}: encryption.${path}`;
      if (setting === undefined) return isAsked(get()) ? [`${said} is no value of the chart, so it does nothing`] : [];
      if (setting.from === undefined && setting.to === undefined) return [];
      const minor = minorOf(version());
      if (minor === undefined || minor < OLDEST || isKnownIn(setting, minor) || !isAsked(get())) return [];
      return [`${said} does nothing in Cilium 1.${minor}${setting.instead ? `: ${setting.instead}` : ""}`];
    });
    if (helm.unread) throw new UnreadError(helm.unread);
  },
};

/** A value that is off or empty asks for nothing. */
function isAsked(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== "";
}

/** The leaves of a tree, each to be read when it is asked for. */
function* leavesIn(tree: unknown, path: readonly string[] = []): Generator<{ path: string; get: () => unknown }> {
  if (!isTree(tree)) return;
  yield* inEach(Object.keys(tree), (name) => leaf(tree, name, [...path, name]));
}

function* leaf(tree: Tree, name: string, path: readonly string[]): Generator<{ path: string; get: () => unknown }> {
  let inner: unknown;
  try {
    inner = tree[name];
  } catch {
    // Unknown: it throws again where it is asked for.
  }
  if (isTree(inner)) yield* leavesIn(inner, path);
  else yield { path: path.join("."), get: () => tree[name] };
}
