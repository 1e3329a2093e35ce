import type { Command } from "commander";
import { UserError } from "../components/userError.ts";
import type { Where } from "../policies/exemption.ts";
import type { PackConfig } from "../policies/judge.ts";
import { RULES } from "../policies/rules/index.ts";
import { Kubernetes } from "../prover/kubernetes.ts";
import { endedBy } from "../prover/proverError.ts";
import { toolFolders } from "../tools/folders.ts";
import { readCluster } from "./audit/cluster.ts";
import { readFiles } from "./audit/manifests.ts";
import type { Reading } from "./audit/reading.ts";
import { audit } from "./audit/report.ts";
import { readState } from "./audit/state.ts";
import { auditText } from "./audit/text.ts";
import { chooseStack } from "./chooseStack.ts";
import { readPolicyConfig } from "./policyConfig.ts";
import { projectPolicyConfig } from "./policyPack.ts";
import { openSession, pulumiHome, pulumiOutput } from "./session.ts";

interface Flags {
  stack?: string;
  kubeconfig?: string;
  context?: string;
  namespace: string;
  file?: string[];
  config?: string;
  decrypt?: true;
  json?: true;
}

/** `wirecloak audit`: the policy pack's rules over what is there already. */
export function registerAudit(program: Command): void {
  program
    .command("audit")
    .description("hold a stack's state, a live cluster or rendered manifests against the policy pack; changes nothing")
    .option("-s, --stack <name>", "a stack of this project, by its state (default: the one that is there)")
    .option("--decrypt", "have Pulumi decrypt the state's secrets, for the rules of keys; none is kept or printed")
    .option("--kubeconfig <file>", "a live cluster, only read")
    .option("--context <name>", "context of that kubeconfig (default: its current one)")
    .option("--namespace <name>", "Cilium's namespace in that cluster", "kube-system")
    .option(
      "-f, --file <file...>",
      "manifests as YAML or JSON, or what `pulumi stack export` prints; - is standard input",
    )
    .option("--config <file>", "the pack's config (default: for a stack the one that `up` takes, else none)")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
Exit codes:
  0  all mandatory rules hold
  1  one is broken, or undecided because something could not be read; or nothing of Cilium was found
  2  wrong arguments, or a file that could not be read
  3  the cluster could not be asked`,
    )
    .action(async (flags: Flags) => {
      process.exit(await showAudit(flags));
    });
}

/** Reads, judges and prints; resolves with the exit code. */
async function showAudit(flags: Flags): Promise<number> {
  try {
    const { reading, config, where } = await readAsked(flags);
    const report = audit(reading, RULES, config, where);
    const shown = flags.json ? `${JSON.stringify(report, null, 2)}\n` : auditText(report);
    await new Promise((resolve) => process.stdout.write(shown, resolve));
    return report.verdict === "holds" ? 0 : 1;
  } catch (error) {
    if (error instanceof UserError) throw error;
    return endedBy(error);
  }
}

/** What the flags ask for, as it is there. */
async function readAsked({ stack, kubeconfig, context, namespace, file, decrypt, config }: Flags): Promise<{
  reading: Reading;
  config: PackConfig;
  where: Where;
}> {
  const places = [
    stack !== undefined && "--stack",
    kubeconfig !== undefined && "--kubeconfig",
    file && "--file",
  ].filter(Boolean);
  if (places.length > 1)
    throw new UserError([{ key: places.join(", "), message: "An audit reads one of these.", allowed: "one of them" }]);
  const given = config === undefined ? {} : readPolicyConfig(config);
  const today = new Date();
  if (file) return { reading: readFiles(file), config: given, where: { today } };
  if (kubeconfig !== undefined) {
    const of = `of ${kubeconfig}${context ? `, context ${context}` : ""}`;
    return {
      reading: await readCluster(Kubernetes.open(kubeconfig, context, namespace), of),
      config: given,
      where: { today },
    };
  }
  const { name, settings } = chooseStack(stack, "other");
  const session = openSession(await toolFolders(settings.cluster.provider, pulumiHome()));
  const asked = ["stack", "export", "--stack", name, ...(decrypt ? ["--show-secrets"] : [])];
  const exported = pulumiOutput(session, asked);
  if (exported === undefined)
    throw new UserError([
      { key: "stack", value: name, message: "It has no state that Pulumi could export.", fix: `make up STACK=${name}` },
    ]);
  return {
    reading: readState(JSON.parse(exported), name),
    config: config === undefined ? projectPolicyConfig() : given,
    where: { today, stack: name, allowPlaintext: settings.allowPlaintext },
  };
}
