import { entryOf } from "../../policies/cilium/pieces.ts";
import { at, isTree, kindOf, type Resource, type Tree, textAt } from "../../policies/resource.ts";

/**
 * A Secret with the shape of its key line in place of the line: ids, algorithms and lengths stay, each digit of a key becomes 0. All that rules of
 * keys ask for is in the shape, so nothing else of a Secret is kept. Other resources are returned as they are.
 */
export function withoutKeys(resource: Resource): Resource {
  if (kindOf(resource)?.kind !== "Secret") return resource;
  // Read only when they are asked for, as they may be ones that cannot be read.
  const props = Object.defineProperties<Tree>(
    {},
    {
      metadata: { enumerable: true, get: () => withoutCopy(at(resource.props, "metadata")) },
      stringData: { enumerable: true, get: () => shapeIn(resource.props) },
    },
  );
  return { ...resource, props };
}

function shapeIn(props: Tree): Tree {
  const entry = entryOf(props);
  const encoded = textAt(props, "data", entry);
  const line = textAt(props, "stringData", entry) ?? (encoded && Buffer.from(encoded, "base64").toString());
  return line === undefined ? {} : { [entry]: keyShape(line) };
}

/** kubectl keeps a copy of what was applied, and that holds the key too. */
function withoutCopy(metadata: unknown): Tree {
  const copy = "kubectl.kubernetes.io/last-applied-configuration";
  const annotations = at(metadata, "annotations");
  if (!isTree(annotations) || !(copy in annotations)) return isTree(metadata) ? metadata : {};
  const { [copy]: _, ...others } = annotations;
  return { ...Object(metadata), annotations: others };
}

/** Words longer than an id or a length, unless they are an algorithm such as `rfc4106(gcm(aes))`, may be a key: they keep their length alone. */
export function keyShape(line: string): string {
  return line.replace(/\S+/g, (word) => {
    if (word.length <= 4 || /^[a-z0-9-]{2,10}\([a-z0-9-]{2,10}(\([a-z0-9-]{2,10}\))?\)$/.test(word)) return word;
    return word.replace(/[0-9a-f]/gi, "0").replace(/[^0+]/g, "x");
  });
}
