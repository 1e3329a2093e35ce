import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isScalar, parseDocument, visit } from "yaml";
import { projectRoot } from "../../tools/paths.ts";

const FOLDER = join(projectRoot, ".github/workflows");

/** A tag can be moved to other code, a commit cannot; the version is for people. */
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;

/** Every action that a workflow uses, with the comment behind it. */
function uses(text: string): string[] {
  const found: string[] = [];
  visit(parseDocument(text), {
    Pair: (_, { key, value }) => {
      if (!isScalar(key) || key.value !== "uses") return;
      found.push(isScalar(value) ? `${value.value}${value.comment ? ` #${value.comment}` : ""}` : "no text");
    },
  });
  return found;
}

const unpinned = (text: string): string[] => uses(text).filter((use) => !PINNED.test(use));
const workflows = readdirSync(FOLDER).map((file) => ({ file, text: readFileSync(join(FOLDER, file), "utf8") }));

describe("workflows", () => {
  test.each(workflows)("$file: each action is pinned by its commit, and says of which version that is", ({ text }) => {
    expect(uses(text)).not.toEqual([]);
    expect(unpinned(text)).toEqual([]);
  });

  test("use one commit of an action, not several", () => {
    const all = new Set(workflows.flatMap(({ text }) => uses(text)));
    const actions = [...all].map((use) => use.split("@")[0]);
    expect(actions).toEqual([...new Set(actions)]);
  });
});

const COMMIT = "0123456789abcdef".repeat(3).slice(0, 40);

test.each([
  ["a tag", "- uses: actions/checkout@v5 # v5.0.0", 1],
  ["a branch", "- uses: actions/checkout@main # v5.0.0", 1],
  ["nothing at all", "- uses: actions/checkout # v5.0.0", 1],
  ["a short commit", `- uses: actions/checkout@${COMMIT.slice(0, 12)} # v5.0.0`, 1],
  ["a commit without its version", `- uses: actions/checkout@${COMMIT}`, 1],
  ["a commit of some v5", `- uses: actions/checkout@${COMMIT} # v5`, 1],
  ["a tag, in a quoted flow mapping", '- { "uses": "actions/checkout@v5" }', 1],
  ["a commit with its version", `- uses: actions/checkout@${COMMIT} # v5.0.0`, 0],
  ["a commit with its version, of a folder", `- uses: actions/cache/restore@${COMMIT} # v4.2.4`, 0],
])("%s is told from a pin", (_, text, found) => {
  expect(unpinned(text)).toHaveLength(found);
});
