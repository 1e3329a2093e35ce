import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Grace } from "../exemption.ts";
import { type Finding, judge, type PackConfig } from "../judge.ts";
import { manifestResources } from "../manifest.ts";
import type { Resource, Tree } from "../resource.ts";
import type { Rule } from "../rule.ts";

/** A stack or some manifests, and what the rules have to say of it. Files beside this one hold lists of them, as YAML. */
export interface Fixture {
  name: string;
  /** The rules that must refuse it, and no other may; empty: it must pass. */
  refused: string[];
  /** The rules that must say that they cannot tell, and no other may. */
  undecided?: string[];
  /** The pack's config; the rules' own levels where it says nothing. */
  config?: PackConfig;
  /** The stack's `wirecloak:allowPlaintext`. */
  allowPlaintext?: Grace;
  /** As a Pulumi program would ask for them. */
  resources?: (Pick<Resource, "type"> & Partial<Resource>)[];
  /** As `helm template` or `kubectl get -o yaml` would write them: any number of YAML documents. */
  manifests?: string;
  /** Short for a Helm release of Cilium with these values, whose agents roll. */
  values?: Tree;
  /** Of that release: its version, where it is not the newest. */
  version?: string;
  /** Short for a ConfigMap cilium-config with this data. */
  data?: Tree;
  /** Short for a CiliumNodeConfig with these defaults. */
  nodeConfig?: Tree;
  /** Short for a Secret cilium-ipsec-keys with this key line. */
  keys?: string;
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

/** What the rules say: what would only advise does not count. */
export function findingsOf(rules: readonly Rule[], fixture: Fixture): Finding[] {
  const { config, allowPlaintext } = fixture;
  const findings = judge(rules, resourcesOf(fixture), config, { today: TODAY, allowPlaintext });
  return findings.filter(({ level }) => level === "mandatory" || level === "remediate");
}

/** The names of the rules that refuse it, or that cannot tell; each once, by the alphabet. */
export function namesOf(findings: readonly Finding[], said: "refused" | "undecided"): string[] {
  const told = findings.filter(({ undecided }) => (undecided === true) === (said === "undecided"));
  return [...new Set(told.map(({ rule }) => rule.name))].sort();
}

function resourcesOf(fixture: Fixture): Resource[] {
  const given = [...(fixture.resources ?? []), ...shortOf(fixture)].map((resource): Resource => {
    const { type, name = "cilium" } = resource;
    return { props: {}, urn: `urn:pulumi:prod::corpus::${type}::${name}`, ...resource, name };
  });
  return [...given, ...manifestResources(fixture.manifests ?? "")];
}

function shortOf({ values, version = "1.20.2", data, nodeConfig, keys }: Fixture): NonNullable<Fixture["resources"]> {
  const namespace = "kube-system";
  const release = {
    chart: "cilium",
    version,
    name: "cilium",
    namespace,
    values: { rollOutCiliumPods: true, ...values },
  };
  const metadata = (name: string) => ({ name, namespace });
  return [
    ...(values ? [{ type: "kubernetes:helm.sh/v3:Release", props: release }] : []),
    ...(data ? [{ type: "kubernetes:core/v1:ConfigMap", props: { metadata: metadata("cilium-config"), data } }] : []),
    ...(nodeConfig
      ? [
          {
            type: "kubernetes:cilium.io/v2:CiliumNodeConfig",
            props: { metadata: metadata("some"), spec: { defaults: nodeConfig } },
          },
        ]
      : []),
    ...(keys === undefined
      ? []
      : [
          {
            type: "kubernetes:core/v1:Secret",
            props: { metadata: metadata("cilium-ipsec-keys"), stringData: { keys } },
          },
        ]),
  ];
}
