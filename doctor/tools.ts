import { findOnPath } from "../tools/findOnPath.ts";
import { type Purpose, toolsFor } from "../tools/table.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Probes } from "./probes.ts";

/** Whether the programs that a cluster of this kind needs are on PATH. Which versions will do is the tools' own matter. */
export function checkTools(purpose: Purpose, { env }: Pick<Probes, "env">): Finding {
  const tools = toolsFor(purpose);
  const missing = tools.filter(({ name }) => findOnPath(name, env.PATH ?? "").length === 0);
  if (missing.length === 0) return ok("tools", tools.map(({ name, version }) => `${name} ${version}`).join(", "));
  return warning(
    "tools",
    `Not on PATH: ${missing.map(({ name }) => name).join(", ")}.`,
    "make tools   # gets them; so does make up",
  );
}
