import { isMap, isScalar, type Pair, parseDocument } from "yaml";

const SECTION = "wirecloak:ipsec";

/** A stack's config file with another `ipsec.keyId`; comments and everything else stay as they are. */
export function withKeyId(text: string, id: number): string {
  const document = parseDocument(text);
  const config = document.get("config");
  const isSection = ({ key }: Pair) => isScalar(key) && (key.value === SECTION || key.value === "ipsec");
  const section = isMap(config) ? config.items.find(isSection) : undefined;
  const known = isMap(section?.value) ? section.value.get("keyId", true) : undefined;
  // Spliced where there is one: to print the document could break its lines elsewhere.
  if (isScalar(known) && known.range) return `${text.slice(0, known.range[0])}${id}${text.slice(known.range[1])}`;
  const name = isScalar(section?.key) ? String(section.key.value) : SECTION;
  document.setIn(["config", name, "keyId"], id);
  return document.toString({ lineWidth: 0 });
}
