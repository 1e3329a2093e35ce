import { restUnread } from "./cilium/valueFiles.ts";
import type { Resource, Tree } from "./resource.ts";

/** What the program asked for, by URN. */
export type AskedFor = Map<string, Tree>;

/**
 * What is known of a resource when all are done. As long as its provider is not configured, in the first preview of a cluster, the engine asks nobody for
 * it and hands out nothing at all (pulumi's pkg/resource/plugin/provider_plugin.go, Create), which must not be taken for a resource without settings: what
 * was asked for stands in.
 */
export function propsAtEnd(
  { type, urn, props }: Pick<Resource, "type" | "urn" | "props">,
  provider: { name: string } | undefined,
  asked: AskedFor,
): Tree {
  if (Object.keys(props).length > 0) return props;
  const inputs = asked.get(urn);
  if (inputs || provider === undefined || !type.startsWith("kubernetes:")) return inputs ?? props;
  // Where all rules about single resources are disabled, nobody was told what was asked for.
  return restUnread({}, `what goes through provider ${provider.name} is not known before its cluster is`);
}
