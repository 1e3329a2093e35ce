import type { ManagedFields } from "../clusterApi.ts";
import type { ChangedBy } from "./facts.ts";

type Fields = Record<string, unknown>;

/** Who last wrote any of the fields at these paths; null where the API server does not tell. */
export function lastChange(managed: readonly ManagedFields[] | undefined, ...paths: string[][]): ChangedBy | null {
  return writersOf(managed, paths).map(({ by }) => by)[0] ?? null;
}

/** The keys under `data` that each writer wrote last, the newest first. */
export function dataChanges(managed: readonly ManagedFields[] | undefined): (ChangedBy & { keys: string[] })[] {
  return writersOf(managed, [["data"]]).map(({ by, fields }) => ({
    ...by,
    keys: Object.keys(at(fields, ["data"]) ?? {})
      .filter((field) => field.startsWith("f:"))
      .map((field) => field.slice(2)),
  }));
}

/** In words for people: `kubectl-edit at 2026-11-21T10:00:00.000Z`. */
export function byWhom(by: ChangedBy | null | undefined): string {
  if (!by) return "nobody that the API server tells of";
  return by.time === null ? by.manager : `${by.manager} at ${by.time}`;
}

function writersOf(managed: readonly ManagedFields[] | undefined, paths: string[][]) {
  return (managed ?? [])
    .flatMap(({ manager = "unknown", operation = "", time, fieldsV1 = {} }) => {
      const fields = fieldsV1 as Fields;
      if (!paths.some((path) => at(fields, path))) return [];
      const by: ChangedBy = { manager, operation, time: time === undefined ? null : new Date(time).toISOString() };
      return [{ by, fields }];
    })
    .sort(({ by: a }, { by: b }) => ((a.time ?? "") < (b.time ?? "") ? 1 : -1));
}

function at(fields: Fields, path: string[]): Fields | undefined {
  return path.reduce<Fields | undefined>((outer, name) => outer?.[`f:${name}`] as Fields | undefined, fields);
}
