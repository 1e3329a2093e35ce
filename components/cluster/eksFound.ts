import { tmpdir } from "node:os";
import { type CommandResult, runCommand } from "../../tools/command.ts";
import type { EksSettings } from "../settings.ts";
import { NAMESPACE } from "../settingsFields.ts";
import { UserError } from "../userError.ts";
import type { EksTarget } from "./eksKubeconfig.ts";

type Ended = Pick<CommandResult, "code" | "stdout" | "stderr" | "failure">;

/** Runs the AWS CLI; the real one is `runAws`. Arguments only: credentials are the CLI's own to find. */
export type Aws = (args: string[]) => Promise<Ended>;

/** Milliseconds for an answer from AWS. */
const TIMEOUT = 20_000;

interface Described {
  cluster?: { status?: string; endpoint?: string; certificateAuthority?: { data?: string } };
}

/** Of a cluster in these states the API server answers, or is meant to. */
const THERE: ReadonlySet<string> = new Set(["ACTIVE", "UPDATING"]);

/** The cluster of this name, which may have been made from another machine; undefined where there is none. Reads only. Rejects with a UserError where AWS does not say. */
export async function findEks(
  { name, region }: Pick<EksSettings, "name" | "region">,
  aws: Aws = runAws,
): Promise<EksTarget | undefined> {
  const described = await aws(["--region", region, "eks", "describe-cluster", "--name", name, "--output", "json"]);
  if (described.code !== 0) {
    if (described.stderr.includes("ResourceNotFoundException")) return undefined;
    throw new UserError([
      {
        key: `${NAMESPACE}:cluster.name`,
        value: name,
        message: `AWS does not say whether this cluster is there in ${region}: ${refusalOf(described)}`,
        fix: "aws sts get-caller-identity   # shows whether there are credentials, and whose",
      },
    ]);
  }
  const { status = "", endpoint, certificateAuthority } = (JSON.parse(described.stdout) as Described).cluster ?? {};
  if (!THERE.has(status) || endpoint === undefined || certificateAuthority?.data === undefined) return undefined;
  return { name, region, endpoint, certificateAuthority: certificateAuthority.data };
}

/** Asks AWS by the CLI, from a folder without a meaning. */
export const runAws: Aws = (args) => runCommand("aws", args, { cwd: tmpdir(), env: process.env, timeoutMs: TIMEOUT });

/** Why AWS did not say, in its own last words. */
export function refusalOf({ stderr, failure }: Pick<Ended, "stderr" | "failure">): string {
  return stderr.trim().split("\n").at(-1) || failure || "no answer";
}
