import type { KindSpec } from "../components/cluster/kindSpec.ts";
import { type RehearsalIdentity, replacementOf } from "../components/cluster/replacement.ts";
import { error, type Finding, ok, warning } from "./finding.ts";

/** Says before it happens that the settings replace a cluster that is there: an error unless `mayReplace`. */
export function judgeReplacement(
  made: object,
  wanted: KindSpec | RehearsalIdentity,
  mayReplace: boolean,
  workersNote?: string,
): Finding[] {
  const what = `cluster ${wanted.name}`;
  const changes = replacementOf(made, wanted);
  if (changes.length === 0) return [ok(what, "It is there, made from this checkout, as the settings say.")];
  const list = changes.map(({ setting, from, to }) => `${setting} ${shown(from)} -> ${shown(to)}`).join(", ");
  const note =
    workersNote !== undefined && changes.some(({ setting }) => setting.endsWith(".workers")) ? ` (${workersNote})` : "";
  const evidence = `${list}${note}: the cluster is deleted, and a new one made with everything in it.`;
  return [
    mayReplace
      ? warning(what, evidence)
      : error(
          what,
          evidence,
          "make up REPLACE=1, or take the change back; a second cluster beside it needs another stack",
        ),
  ];
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
