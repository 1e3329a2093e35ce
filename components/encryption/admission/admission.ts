import { join } from "node:path";
import { local } from "@pulumi/command";
import { ValidatingAdmissionPolicy } from "@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicy.js";
import { ValidatingAdmissionPolicyBinding } from "@pulumi/kubernetes/admissionregistration/v1/validatingAdmissionPolicyBinding.js";
import type { Provider } from "@pulumi/kubernetes/provider.js";
import * as pulumi from "@pulumi/pulumi";
import type { Cluster } from "../../cluster/cluster.ts";
import type { Settings } from "../../settings.ts";
import { expectedConfig, REPAIR_ANNOTATION } from "../values.ts";
import type { AdmissionOrder } from "./main.ts";
import { allowedBy } from "./params.ts";
import { admissionPolicies } from "./policies.ts";

/** Sets the policies' parameter; a program of its own, which knows nothing of Pulumi. */
const PROGRAM = join(import.meta.dirname, "main.ts");

export interface AdmissionArgs {
  settings: Settings;
  cluster: Cluster;
  /** The provider of that very cluster. */
  provider: Provider;
  /** What must be there before the parameter changes. */
  after?: pulumi.Resource[];
  /** Another one has the parameter set again, and the policies put back: see `Repairs`. Empty: nothing to repair. */
  repair?: string;
  /** Policies and bindings that somebody has deleted, as `KIND NAME`. */
  missing?: readonly string[];
  /** Before the logical names of policies and bindings, which are called alike in every cluster. Identity: absent in our own program. */
  prefix?: string;
}

/**
 * Has the API server refuse what would take encryption back, whoever asks: ValidatingAdmissionPolicies, and a parameter that says what is allowed. As with the guard the parameter
 * changes in two steps: before Cilium does, it allows the old and the new state; after the proof only the new one. Empty where the settings want none.
 */
export class Admission extends pulumi.ComponentResource {
  /** What must be there before Cilium starts or changes. */
  readonly widened: pulumi.Resource[] = [];
  /** Both steps; each tells something new on standard output when it has run. */
  readonly steps: local.Command[] = [];
  /** Of each policy and binding the generation: another one after each change. */
  readonly generations: pulumi.Output<number>[] = [];
  private readonly name: string;
  private readonly args: AdmissionArgs;
  private readonly order: pulumi.Output<string>;

  constructor(name: string, args: AdmissionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("wirecloak:encryption:Admission", name, {}, opts);
    this.name = name;
    this.args = args;
    const { settings, cluster, repair } = args;
    const { encryption, cilium } = settings;
    this.order = pulumi.all([cluster.kubeconfigPath, cluster.incarnation]).apply(([kubeconfig, generation]) =>
      JSON.stringify({
        ...{ kubeconfig, generation, namespace: cilium.namespace },
        ...(cluster.context !== undefined && { context: cluster.context }),
        ...{ wanted: allowedBy(settings), config: expectedConfig(settings), withoutKeys: encryption !== "ipsec" },
        ...(repair && { repair }),
      } satisfies AdmissionOrder),
    );
    if (settings.admission) {
      const remove = { delete: 'node "$PROGRAM" remove', triggers: [cluster.incarnation, cilium.namespace] };
      this.widened.push(this.step("widen", remove, args.after ?? []));
    }
    this.registerOutputs({});
  }

  /** Cilium is there: from now on the API server refuses. After it, so that at the end of all the policies go before it does. */
  enforced(cilium: pulumi.Resource): void {
    const { settings, cluster, provider, repair, missing = [], prefix = "" } = this.args;
    if (!settings.admission) return;
    // The second takes fields back from whoever has taken them.
    const annotations = repair ? { [REPAIR_ANNOTATION]: repair, "pulumi.com/patchForce": "true" } : undefined;
    const options = (object: string, after: pulumi.Resource[]): pulumi.CustomResourceOptions => ({
      ...{ parent: this, provider, ...cluster.lifetime, dependsOn: after },
      // The official kubernetes plugin does not update what is not there any more.
      ...(missing.includes(object) && { replaceOnChanges: ["*"], deleteBeforeReplace: true }),
    });
    for (const { name, policy: spec, binding } of admissionPolicies(settings.cilium.namespace)) {
      const metadata = { name, ...(annotations && { annotations }) };
      const policy = new ValidatingAdmissionPolicy(
        `${prefix}${name}-policy`,
        { metadata, spec },
        options(`ValidatingAdmissionPolicy ${name}`, [cilium, ...this.widened]),
      );
      const bound = new ValidatingAdmissionPolicyBinding(
        `${prefix}${name}-binding`,
        { metadata, spec: binding },
        options(`ValidatingAdmissionPolicyBinding ${name}`, [policy]),
      );
      this.generations.push(...[policy, bound].map((object) => object.metadata.generation));
    }
  }

  /** The new state is proven: what only the old one had is no longer allowed. */
  proven(proof: pulumi.Resource): void {
    const [widened] = this.steps;
    // Bound to each run of the first step, also where its own order is the same as before: after a change that failed and was taken back.
    if (widened) this.step("narrow", { environment: { AFTER: widened.stdout } }, [proof]);
  }

  private step(
    step: "widen" | "narrow",
    { environment, ...more }: Partial<local.CommandArgs>,
    after: pulumi.Resource[],
  ) {
    const command = new local.Command(
      `${this.name}-${step}`,
      {
        create: `node "$PROGRAM" ${step}`,
        stdin: this.order,
        environment: { PROGRAM, ...(environment as Record<string, pulumi.Input<string>>) },
        addPreviousOutputInEnv: false,
        logging: local.Logging.Stderr,
        ...more,
      },
      { parent: this, ...this.args.cluster.lifetime, dependsOn: after },
    );
    this.steps.push(command);
    return command;
  }
}
