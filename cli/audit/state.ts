import { isTree, listAt, type Resource, type Tree, textAt, UnreadError } from "../../policies/resource.ts";
import { withoutKeys } from "./keyShape.ts";
import type { Reading } from "./reading.ts";

/** What Pulumi marks special values with in a state (sdk/go/common/resource/sig). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** Whether a document is what `pulumi stack export` prints. */
export function isState(document: unknown): document is { deployment: Tree } {
  return isTree(document) && isTree(document.deployment) && "manifest" in document.deployment;
}

/** The resources of an exported state. Those that are only waiting to be deleted are left out. */
export function readState({ deployment }: { deployment: Tree }, of: string): Reading {
  const resources = Array.isArray(deployment.resources) ? deployment.resources.filter(isTree) : [];
  const pending = Array.isArray(deployment.pending_operations) ? deployment.pending_operations.length : 0;
  return {
    source: { kind: "state", of },
    resources: resources
      .filter((resource) => resource.delete !== true)
      .map((resource) => withoutKeys(asResource(resource))),
    unread:
      pending === 0
        ? []
        : [
            `${pending} operations were cut short, and the state does not say what came of them: pulumi refresh --clear-pending-creates`,
          ],
  };
}

function asResource(resource: Tree): Resource {
  const urn = textAt(resource, "urn") ?? "";
  const given = isTree(resource.inputs) ? resource.inputs : {};
  const got = isTree(resource.outputs) ? resource.outputs : {};
  return {
    type: textAt(resource, "type") ?? "",
    urn,
    name: urn.split("::").at(-1) ?? "",
    // What was asked for comes first; of a resource that is only read, nothing was.
    props: readable({ ...got, ...given }, urn) as Tree,
    // `urn::id`
    provider: textAt(resource, "provider")?.replace(/::[^:]*$/, ""),
    parent: textAt(resource, "parent"),
    dependencies: Object.values(Object(resource.propertyDependencies)).flatMap((urns) =>
      Array.isArray(urns) ? urns.map(String) : [],
    ),
    waitsFor: listAt(resource, "dependencies").map(String),
  };
}

/** A value of a state with its secrets as they are, where they were decrypted; an encrypted one throws when it is read. */
function readable(value: unknown, urn: string): unknown {
  if (Array.isArray(value)) return fill([], value, urn);
  if (!isTree(value)) return value;
  if (value[SIGNATURE] !== SECRET) return fill({}, value, urn);
  return readable(JSON.parse(String(value.plaintext)), urn);
}

function fill<Target extends object>(target: Target, from: object, urn: string): Target {
  for (const [name, value] of Object.entries(from)) {
    const get = isEncrypted(value)
      ? (): never => {
          throw new UnreadError(
            `${name} of ${urn} is a secret that the state holds encrypted (--stack with --decrypt has it read, or pulumi stack export --show-secrets)`,
          );
        }
      : undefined;
    const part = get ? { get } : { value: readable(value, urn) };
    Object.defineProperty(target, name, { enumerable: true, ...part });
  }
  return target;
}

/** `[secret]` is what Pulumi writes for a secret where nobody may see it. */
function isEncrypted(value: unknown): boolean {
  return value === "[secret]" || (isTree(value) && value[SIGNATURE] === SECRET && typeof value.plaintext !== "string");
}
