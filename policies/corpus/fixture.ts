import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Finding, judge, type PackConfig } from "../judge.ts";
import { manifestResources } from "../manifest.ts";
import type { Resource } from "../resource.ts";
import type { Rule } from "../rule.ts";

/** A stack or some manifests, and what the rules have to say of it. Files beside this one hold lists of them, as YAML. */
export interface Fixture {
  name: string;
  /** The rules that must refuse it, and no other may; empty: it must pass. */
  refused: string[];
  /** The pack's config; the rules' own levels where it says nothing. */
  config?: PackConfig;
  /** As a Pulumi program would ask for them. */
  resources?: (Pick<Resource, "type"> & Partial<Resource>)[];
  /** As `helm template` or `kubectl get -o yaml` would write them: any number of YAML documents. */
  manifests?: string;
}

/** The day of the corpus: exemptions in it end before or after. */
export const TODAY = new Date("2026-11-21T12:00:00Z");

/** All fixtures, by file. */
export function fixtures(): Fixture[] {
  return readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .flatMap((file) =>
      (parse(readFileSync(join(import.meta.dirname, file), "utf8"), { merge: true }) as Fixture[]).map((fixture) => ({
        ...fixture,
        name: `${file.replace(".yaml", "")}: ${fixture.name}`,
      })),
    );
}

/** What the rules say: only what refuses counts. */
export function refusals(rules: readonly Rule[], fixture: Fixture): Finding[] {
  const findings = judge(rules, resourcesOf(fixture), fixture.config, { today: TODAY });
  return findings.filter(({ level }) => level === "mandatory" || level === "remediate");
}

function resourcesOf({ resources = [], manifests = "" }: Fixture): Resource[] {
  const given = resources.map(
    (resource): Resource => ({
      ...{ name: "cilium", props: {} },
      ...resource,
      urn: resource.urn ?? `urn:pulumi:prod::corpus::${resource.type}::${resource.name ?? "cilium"}`,
    }),
  );
  return [...given, ...manifestResources(manifests)];
}
