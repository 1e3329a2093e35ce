import { join } from "node:path";
import { local } from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { clusterFiles, stateDir } from "../../../tools/paths.ts";

/** Writes the kubeconfig's file; a program of its own, which knows nothing of Pulumi. */
const PROGRAM = join(import.meta.dirname, "../kubeconfigFile.ts");

/** The file with a cluster's kubeconfig. Its path does not wait for nodes: they come later, and what needs them depends on them. */
export function kubeconfigFile(
  name: string,
  { cluster, kubeconfig }: { cluster: string; kubeconfig: pulumi.Output<string> },
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const file = clusterFiles(stateDir(), cluster).kubeconfig;
  const written = new local.Command(
    name,
    {
      create: 'node "$PROGRAM" write "$FILE"',
      delete: 'node "$PROGRAM" delete "$FILE"',
      environment: { PROGRAM, FILE: file },
      stdin: kubeconfig,
      addPreviousOutputInEnv: false,
      logging: local.Logging.None,
    },
    opts,
  );
  return written.id.apply(() => file);
}
