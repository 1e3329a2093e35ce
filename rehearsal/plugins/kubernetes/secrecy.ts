import { hasSecret, isMap, type PropertyMap, Secret, type Value } from "../plugin/values.ts";

/**
 * Marks as secret what is secret at the same place of `like`. A list with a secret in it becomes secret as a whole,
 * since items move. The contents of a Secret (the kind) are always secret, whoever put them there.
 */
export function markedLike(plain: PropertyMap, like: PropertyMap): PropertyMap {
  const isSecret = plain.apiVersion === "v1" && plain.kind === "Secret";
  return Object.fromEntries(
    Object.entries(plain).map(([key, value]): [string, Value] => {
      const other = like[key];
      if (isSecret && (key === "data" || key === "stringData")) {
        return [key, new Secret(value)];
      }
      if (isMap(value) && isMap(other)) {
        return [key, markedLike(value, other)];
      }
      return [key, other !== undefined && hasSecret(other) ? new Secret(value) : value];
    }),
  );
}
