import { at, isTree, listAt, type Tree, textAt } from "../policies/resource.ts";
import { type HelmSecret, readHelmRecord } from "./helmRecord.ts";

/** A Helm release whose install a killed run had begun, and which the state does not hold. */
export interface CutInstall {
  urn: string;
  /** URN of the component that it is a part of. */
  parent: string | undefined;
  /** URN of its Kubernetes provider. */
  provider: string;
  /** helm's name of it. */
  release: string;
  namespace: string;
  /** What helm was given, secrets as the state has them. */
  values: Tree;
}

/** How such a release comes into the state: as it is, or once helm's record no longer says that somebody works on it. */
export type TakeUp = "import" | "import and unlock" | "not ours";

const RELEASE = "kubernetes:helm.sh/v3:Release";
/** What Pulumi marks secrets in a state with (sdk/go/common/resource/sig). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The releases that an exported state calls begun and does not hold. */
export function cutInstalls(state: unknown): CutInstall[] {
  const deployment = at(state, "deployment");
  const held = new Set(listAt(deployment, "resources").map((resource) => textAt(resource, "urn")));
  return listAt(deployment, "pending_operations").flatMap((operation): CutInstall[] => {
    const resource = at(operation, "resource");
    const [urn, provider] = [textAt(resource, "urn"), textAt(resource, "provider")];
    const [release, namespace] = [textAt(resource, "inputs", "name"), textAt(resource, "inputs", "namespace")];
    const values = at(resource, "inputs", "values");
    const isCut = at(operation, "type") === "creating" && textAt(resource, "type") === RELEASE && !held.has(urn);
    if (!isCut || !urn || !provider || !release || !namespace || !isTree(values)) return [];
    // `urn::id`
    return [
      {
        urn,
        parent: textAt(resource, "parent"),
        provider: provider.replace(/::[^:]*$/, ""),
        release,
        namespace,
        values,
      },
    ];
  });
}

/**
 * What to do about a release that was begun, by the latest revision that helm keeps of it. Never uninstalled: its agents may carry traffic. Ours alone, by the values
 * that the killed run gave to helm, the cluster's name among them: in a cluster of others' that run may have met a Cilium of theirs.
 */
export function takeUpOf({ values }: CutInstall, latest: HelmSecret): TakeUp {
  const found = readHelmRecord(latest);
  const isOurs = textAt(values, "cluster", "name") !== undefined && agree(values, found.values);
  if (!isOurs) return "not ours";
  return found.status.startsWith("pending-") ? "import and unlock" : "import";
}

/** Whether helm has what it was given. It forgets nulls, and secrets the state keeps encrypted. */
function agree(given: unknown, kept: unknown): boolean {
  if (isTree(given) && SIGNATURE in given) return kept !== undefined;
  if (Array.isArray(given))
    return (
      Array.isArray(kept) && given.length === kept.length && given.every((item, index) => agree(item, kept[index]))
    );
  if (!isTree(given)) return (given ?? null) === (kept ?? null);
  const also = kept ?? {};
  if (!isTree(also)) return false;
  return [...new Set([...Object.keys(given), ...Object.keys(also)])].every((key) => agree(given[key], also[key]));
}
