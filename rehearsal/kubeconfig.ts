import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { HOST } from "./ports.ts";
import type { RehearsalFiles, RehearsalRecord } from "./record.ts";

/** The administrator's kubeconfig with everything in it, so that it works wherever it is copied on this machine. */
export function kubeconfig(files: RehearsalFiles, { spec, ports }: RehearsalRecord): string {
  const encoded = (name: string): string => readFileSync(join(files.pki, name)).toString("base64");
  // Named like kind's kind-NAME.
  const name = `rehearsal-${spec.name}`;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name,
        cluster: { server: `https://${HOST}:${ports.apiServer}`, "certificate-authority-data": encoded("ca.crt") },
      },
    ],
    users: [
      { name, user: { "client-certificate-data": encoded("admin.crt"), "client-key-data": encoded("admin.key") } },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
