import { readdirSync } from "node:fs";
import { parse } from "yaml";
import { chartReference } from "../components/encryption/chart.ts";
import type { CiliumSettings } from "../components/settings.ts";
import type { CommandResult } from "../tools/command.ts";
import { error, type Finding, ok, warning } from "./finding.ts";
import type { Probes } from "./probes.ts";

const WHAT = "Cilium chart";
/** A repository's index is some megabytes; a slow line needs its time. */
const NETWORK_LIMIT_MS = 20_000;

/** Whether the chart is there in the version asked for. The engine's own check of it is skipped while the cluster is new. */
export async function checkChart(cilium: CiliumSettings, probes: Pick<Probes, "run" | "fetchText">): Promise<Finding> {
  const { chart, version, repositoryOpts } = chartReference(cilium);
  const from = repositoryOpts ? ["--repo", repositoryOpts.repo] : [];
  const pinned = version === undefined ? [] : ["--version", version];
  const shown = await probes.run("helm", ["show", "chart", chart, ...from, ...pinned], NETWORK_LIMIT_MS);
  const finding = judgeChart(cilium, shown);
  if (finding.level !== "error" || !missing(shown.stderr)) return finding;
  const available = repositoryOpts ? await versionsIn(repositoryOpts.repo, probes) : versionsAround(cilium.chart);
  const near = nearest(available, cilium.version);
  const [best] = near;
  if (best === undefined) return finding;
  return error(WHAT, `${finding.evidence} Available: ${near.join(", ")}.`, versionCommand(best));
}

/** Reads what `helm show chart` came to. */
export function judgeChart(
  { chart, version }: Pick<CiliumSettings, "chart" | "version">,
  shown: CommandResult,
): Finding {
  const { code, stdout, stderr, failure } = shown;
  if (code === 0) return sameVersion(chart, version, stdout);
  if (failure === "ENOENT") return warning(WHAT, "Not looked for: there is no helm on PATH yet.", "make tools");
  const said = stderr.trim().split("\n").at(-1) ?? "";
  if (missing(stderr)) {
    return error(WHAT, `${chart} has no Cilium ${version}.`, versionCommand("VERSION"));
  }
  const why = failure === undefined ? said : `no answer in ${NETWORK_LIMIT_MS / 1000} s`;
  const fix =
    "check the network, or name a chart that can be had: pulumi config set --path wirecloak:cilium.chart URL-OR-FOLDER";
  return error(WHAT, `${chart} cannot be reached or read: ${why}`, fix);
}

function versionCommand(version: string): string {
  return `pulumi config set --path wirecloak:cilium.version ${version}`;
}

/** Helm's words for a repository, a registry and a file that has no such version. */
function missing(stderr: string): boolean {
  return /version ".*" not found|: not found|path ".*" not found/.test(stderr);
}

function sameVersion(chart: string, version: string, chartYaml: string): Finding {
  const { name, version: found } = parse(chartYaml) as { name?: string; version?: string };
  if (name === "cilium" && found?.replace(/^v/, "") === version.replace(/^v/, ""))
    return ok(WHAT, `${chart} has Cilium ${version}.`);
  const evidence = `${chart} holds ${name} ${found}, and the settings say cilium ${version}.`;
  return error(WHAT, evidence, "pulumi config set --path wirecloak:cilium.version VERSION-OF-THE-CHART");
}

async function versionsIn(repo: string, { fetchText }: Pick<Probes, "fetchText">): Promise<string[]> {
  const index = parse((await fetchText(`${repo.replace(/\/$/, "")}/index.yaml`)) ?? "") as {
    entries?: { cilium?: { version: string }[] };
  } | null;
  return (index?.entries?.cilium ?? []).map(({ version }) => version);
}

/** Versions of the packages in a local folder. */
function versionsAround(folder: string): string[] {
  try {
    return readdirSync(folder).flatMap((file) => /^cilium-(.+)\.tgz$/.exec(file)?.[1] ?? []);
  } catch {
    return [];
  }
}

/** How many versions a person reads. */
const SHOWN = 8;

/** Those of the same minor version where there are any, else the newest; the newest first. */
export function nearest(available: readonly string[], wanted: string): string[] {
  const newestFirst = available.toSorted((one, other) => other.localeCompare(one, "en", { numeric: true }));
  const minor = `${wanted.split(".").slice(0, 2).join(".")}.`;
  const alike = newestFirst.filter((version) => version.startsWith(minor));
  return (alike.length > 0 ? alike : newestFirst).slice(0, SHOWN);
}
