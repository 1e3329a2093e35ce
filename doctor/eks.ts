import { missingSdk } from "../components/cluster/cloud.ts";
import { findOnPath } from "../tools/onPath.ts";
import { error, type Finding, ok } from "./finding.ts";
import type { Probes } from "./probes.ts";

/** Whether this machine has what an EKS cluster is made and reached with. */
export function checkEks({ env }: Pick<Probes, "env">, sdk = missingSdk("eks")): Finding[] {
  return [
    sdk ? error("AWS SDK", sdk.message, sdk.fix) : ok("AWS SDK", "It is installed."),
    findOnPath("aws", env.PATH ?? "").length > 0
      ? ok("AWS CLI", "It is on PATH.")
      : error(
          "AWS CLI",
          "aws is not on PATH. The kubeconfig holds no credentials: it has aws ask for a token, each time.",
          "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
        ),
  ];
}
