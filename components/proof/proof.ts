import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Intent } from "../../prover/intent.ts";
import type { Summary } from "../../prover/summary.ts";
import { evidenceFolder, watchFolder } from "../../tools/paths.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Settings } from "../settings.ts";
import { intentOf } from "./intent.ts";

/** The prover runs as a program of its own: it knows nothing of Pulumi. */
const PROVER = join(import.meta.dirname, "../../prover/main.ts");

/** Seconds for what may pass by itself. The agents' own agreement is waited for before (AgentsAgree). */
const SETTLING = 10;

export interface ProofArgs {
  settings: Settings;
  cluster: Cluster;
  /** Revision of the Helm release: each new one is proven anew. */
  revision: pulumi.Input<number>;
  /** A new one has all proven anew where nothing else has changed; empty: nothing to repair. */
  repair?: string;
  /** What else must be done before. */
  after?: pulumi.Resource[];
}

/** Proves the live cluster after each deploy, by what its nodes say and by what is on the wire, and fails the update where it contradicts the settings. */
export class Proof extends pulumi.ComponentResource {
  /** `proven`, `not proven` or `failed`. */
  readonly verdict: pulumi.Output<string>;
  /** The verdict in a sentence, with what it rests on. */
  readonly statement: pulumi.Output<string>;
  /** Nodes, node pairs, and packets between them: readable and encrypted. */
  readonly counts: pulumi.Output<Summary["counts"]>;
  /** It is not proven for reasons that may pass by themselves, so that the next update proves again. */
  readonly mayPass: pulumi.Output<boolean>;
  /** Path of evidence.json on the machine that ran the update; evidence.html is beside it. */
  readonly evidence: pulumi.Output<string | null>;
  /** Why the verdict is no better, each naming its evidence. */
  readonly reasons: pulumi.Output<string[]>;
  /** What the proof printed: another text after each run, since it counts packets. */
  readonly ran: pulumi.Output<string>;
  /** What the live cluster is held against. */
  readonly intent: Intent;

  constructor(name: string, args: ProofArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:proof:Proof", name, {}, opts);
    const { settings, cluster } = args;
    this.intent = intentOf(settings, cluster);
    const intent = JSON.stringify(this.intent);
    // 1 is the verdict `failed`; 2 and 3 say that nothing could be judged, which no setting makes acceptable.
    const context = cluster.context === undefined ? "" : ' --context "$KUBECONFIG_CONTEXT"';
    const enforced = settings.proof.enforce ? "" : " || [ $? = 1 ]";

    const proof = new local.Command(
      `${name}-read-back`,
      {
        // The summary is held back where the proof fails: standard error has the verdict and its reasons, in words.
        create: `summary=$(node "$PROVER" verify --intent - --kubeconfig "$KUBECONFIG_FILE"${context} --wait ${SETTLING} --evidence "$EVIDENCE" --watch "$WATCH" --summary)${enforced} && printf %s "$summary"`,
        // Nothing secret is in the intent, and the kubeconfig goes as a file's name.
        stdin: intent,
        environment: {
          PROVER,
          WATCH: watchFolder(settings.cluster.name),
          KUBECONFIG_FILE: cluster.kubeconfigPath,
          EVIDENCE: evidenceFolder(settings.cluster.name),
          ...(cluster.context !== undefined && { KUBECONFIG_CONTEXT: cluster.context }),
        },
        // A Command runs again only when its triggers change.
        triggers: [args.revision, intent, cluster.incarnation, ...(args.repair ? [args.repair] : [])],
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
      },
      { parent: this, ...cluster.lifetime, dependsOn: args.after ?? [] },
    );
    this.ran = proof.stdout;
    const summary = proof.stdout.apply((text) => JSON.parse(text) as Summary);
    this.verdict = summary.verdict;
    this.statement = summary.statement;
    this.reasons = summary.reasons;
    this.evidence = summary.evidence;
    this.counts = summary.counts;
    this.mayPass = summary.mayPass;
    this.registerOutputs({ verdict: this.verdict, statement: this.statement, evidence: this.evidence });
  }
}
