import { Command } from "commander";
import { UserError } from "../components/userError.ts";
import { registerAudit } from "./audit.ts";
import { registerBench } from "./bench.ts";
import { registerDoctor } from "./doctor.ts";
import { registerDown } from "./down.ts";
import { registerExample } from "./example.ts";
import { registerFault } from "./fault.ts";
import { findLiveCluster } from "./liveCluster.ts";
import { registerPulumi } from "./pulumi.ts";
import { registerRotate } from "./rotate.ts";
import { registerSniff } from "./sniff.ts";
import { registerStatus } from "./status.ts";
import { registerUp } from "./up.ts";
import { registerValues } from "./values.ts";
import { registerVerify } from "./verify.ts";

const program = new Command("wirecloak")
  .enablePositionalOptions()
  .description("Kubernetes clusters whose traffic is encrypted, and proven so.")
  .addHelpText(
    "after",
    `
Exit codes:
  0  done; for status: nothing contradicts the settings
  1  it failed; for status: the verdict is "failed"; for doctor: something must be mended first
  2  wrong settings or arguments; nothing was done
  3  the cluster could not be asked`,
  );

registerUp(program);
registerDown(program);
registerStatus(program, findLiveCluster);
registerSniff(program, findLiveCluster);
registerBench(program, findLiveCluster);
registerVerify(program, findLiveCluster);
registerAudit(program);
registerExample(program);
registerDoctor(program);
registerRotate(program, findLiveCluster);
registerValues(program);
registerFault(program);
registerPulumi(program);
// commander ends with 1 where the arguments are wrong; ours is 2, and 0 stays for --help.
for (const command of [program, ...program.commands])
  command.exitOverride((error) => process.exit(error.exitCode && 2));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exit(2);
}
