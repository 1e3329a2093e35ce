// node kubeconfigFile.ts write|delete PATH   `write` reads the kubeconfig from stdin. Nothing is printed.
import { rmSync } from "node:fs";
import { text } from "node:stream/consumers";
import { writeSecret } from "../../tools/files.ts";
import { UserError } from "../userError.ts";

const [command = "", path = ""] = process.argv.slice(2);
try {
  if (command === "write" && path) writeSecret(path, await text(process.stdin));
  else if (command === "delete" && path) rmSync(path, { force: true });
  else
    throw new UserError([
      { key: "command", value: command, message: "Not known.", allowed: "write PATH, delete PATH" },
    ]);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
