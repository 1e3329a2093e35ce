import { parse } from "yaml";
import { at, calledIn, isTree, listAt, type Resource, type Tree, textAt, UnreadError } from "../resource.ts";
import { over } from "./valueFiles.ts";

/** A Helm release that a controller in the cluster is told to install. */
export interface AskedRelease {
  /** What asks for it, for people: `HelmRelease cilium`. */
  what: string;
  name: string;
  /** As Helm would be given it; a folder where it is one, or where another object says which. */
  chart: string;
  version: string | undefined;
  values: Tree;
  /** Why there are values under these that are not read here; empty where there are none. */
  unread: string[];
}

/** The Helm releases in Flux's HelmRelease and Argo CD's Application; empty for any other resource. */
export function askedReleases(resource: Resource): AskedRelease[] {
  if (/^kubernetes:helm\.toolkit\.fluxcd\.io\/\w+:HelmRelease$/.test(resource.type)) return [ofFlux(resource)];
  if (/^kubernetes:argoproj\.io\/\w+:Application$/.test(resource.type)) return ofArgo(resource);
  return [];
}

/** `values` lie over what `valuesFrom` refers to (fluxcd.io/flux/components/helm/helmreleases). */
function ofFlux(resource: Resource): AskedRelease {
  const called = calledIn(resource);
  const what = `HelmRelease ${called}`;
  const spec = at(resource.props, "spec");
  const chart = at(spec, "chart", "spec");
  const named = textAt(chart, "chart");
  return {
    ...{ what, name: textAt(spec, "releaseName") ?? called },
    chart: named ?? `./${textAt(spec, "chartRef", "name") ?? ""}`,
    version: textAt(chart, "version"),
    values: treeIn(at(spec, "values")),
    unread: [
      ...because(listAt(spec, "valuesFrom").length > 0, what, "what valuesFrom refers to"),
      ...because(listAt(chart, "valuesFiles").length > 0, what, "the valuesFiles of its chart"),
      ...because(named === undefined || named.includes("/"), what, "its chart, which may have values of its own"),
    ],
  };
}

function ofArgo(resource: Resource): AskedRelease[] {
  const called = calledIn(resource);
  const what = `Application ${called}`;
  const spec = at(resource.props, "spec");
  const sources = isTree(at(spec, "source")) ? [at(spec, "source")] : listAt(spec, "sources");
  return sources.flatMap((source): AskedRelease[] => {
    const [chart, folder] = [textAt(source, "chart"), textAt(source, "path")];
    if (chart === undefined && folder === undefined) return [];
    const { values, isRead } = argoValues(at(source, "helm"), what);
    return [
      {
        ...{ what, name: textAt(source, "helm", "releaseName") ?? called, values },
        ...(chart === undefined
          ? { chart: `./${folder}`, version: undefined }
          : { chart, version: textAt(source, "targetRevision") }),
        unread: [
          ...because(!isRead, what, "its text of values, which is no YAML"),
          ...because(listAt(source, "helm", "valueFiles").length > 0, what, "its valueFiles"),
          ...because(chart === undefined, what, "its folder, which may have values of its own"),
        ],
      },
    ];
  });
}

/** `parameters` lie over `valuesObject`, and that goes before the text `values` (argo-cd.readthedocs.io, user-guide/helm). */
function argoValues(helm: unknown, what: string): { values: Tree; isRead: boolean } {
  const text = textAt(helm, "values");
  const object = at(helm, "valuesObject");
  let values = treeIn(object);
  let isRead = true;
  if (object === undefined && text !== undefined) {
    try {
      values = treeIn(parse(text));
    } catch {
      isRead = false;
    }
  }
  for (const parameter of listAt(helm, "parameters")) {
    const set = textAt(parameter, "value") ?? "";
    values = over(
      under(textAt(parameter, "name") ?? "", at(parameter, "forceString") === true ? set : typed(set)),
      values,
    );
  }
  for (const parameter of listAt(helm, "fileParameters"))
    values = over(under(textAt(parameter, "name") ?? "", new UnreadError(`not read here: a file of ${what}`)), values);
  return { values, isRead };
}

/** As `helm --set` reads a value. */
function typed(text: string): unknown {
  return /^(true|false|null|0|-?[1-9]\d*)$/.test(text) ? JSON.parse(text) : text;
}

/** A value under a path of names, `a.b\.c`, as `helm --set` has it; an error throws where it is read. So does an item of a list, which would take the list itself. */
function under(path: string, value: unknown): Tree {
  const [name = "", ...rest] = path.split(/(?<!\\)\./).map((each) => each.replaceAll("\\.", "."));
  const [list, index] = name.split("[");
  const held =
    index !== undefined
      ? new UnreadError(`not read here: an item of ${list}`)
      : rest.length > 0
        ? under(rest.map((each) => each.replaceAll(".", "\\.")).join("."), value)
        : value;
  const get = (): unknown => {
    if (held instanceof UnreadError) throw held;
    return held;
  };
  return Object.defineProperty({}, list ?? "", { enumerable: true, get });
}

function treeIn(value: unknown): Tree {
  return isTree(value) ? value : {};
}

function because(is: boolean, of: string, what: string): string[] {
  return is ? [`not read here: of ${of}, ${what}`] : [];
}
