import { readFileSync } from "node:fs";
import { UserError } from "../../components/userError.ts";
import { manifestResources } from "../../policies/manifest.ts";
import { withoutKeys } from "./keyShape.ts";
import type { Reading } from "./reading.ts";
import { isState, readState } from "./state.ts";

/** Reads files of manifests as YAML or JSON, `-` being standard input; or one exported state, which its form tells. Throws a UserError where one cannot be read. */
export function readFiles(files: readonly string[]): Reading {
  const texts = files.map((file) => ({ file: file === "-" ? "standard input" : file, text: textOf(file) }));
  for (const { file, text } of texts) {
    const document = asJson(text);
    if (!isState(document)) continue;
    if (texts.length === 1) return readState(document, file);
    throw unreadable(file, "It is a Pulumi state, and there are other files beside it.", "one state, or manifests");
  }
  const resources = texts.flatMap(({ file, text }) => manifestsIn(file, text)).map(withoutKeys);
  return { source: { kind: "manifests", of: texts.map(({ file }) => file).join(", ") }, resources, unread: [] };
}

function manifestsIn(file: string, text: string) {
  try {
    return manifestResources(text);
  } catch (error) {
    throw unreadable(file, `This is not YAML that can be read: ${(error as Error).message.split("\n")[0]}`);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (error) {
    throw unreadable(file, `It cannot be read: ${(error as Error).message}`);
  }
}

/** Undefined where it is something else. */
function asJson(text: string): unknown {
  try {
    return text.trimStart().startsWith("{") ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

function unreadable(
  file: string,
  message: string,
  allowed = "manifests as YAML or JSON, or what `pulumi stack export` prints",
): UserError {
  return new UserError([{ key: "--file", value: file, message, allowed }]);
}
