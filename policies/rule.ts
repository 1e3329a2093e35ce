import type { Piece } from "./cilium/pieces.ts";
import type { Grace, Where } from "./exemption.ts";
import type { Resource } from "./resource.ts";

/** What happens when a rule is broken; Pulumi's words. `remediate` mends where the rule can, and refuses where it cannot. */
export type Level = "advisory" | "mandatory" | "remediate" | "disabled";

/** A clause that a rule supports. It supports it: no rule makes anything compliant. */
export interface Clause {
  /** `PCI DSS 4.0.1` */
  framework: string;
  /** `4.2.1` */
  clause: string;
}

/** What a rule may be told: the options of all rules, each in its own rule's config. */
export interface RuleConfig {
  exemptions?: Exemption[];
  [option: string]: unknown;
}

/** Somebody has decided that a rule does not hold for something, until a day. Something that matches all that is said is exempt. */
export interface Exemption extends Grace {
  /** Name of a Pulumi stack. */
  stack?: string;
  /** Name of a cluster: Cilium's `cluster.name`, or the Kubernetes provider's logical name. */
  cluster?: string;
  urn?: string;
}

/** What breaks a rule, and what says so. */
export interface Breach {
  /** What is wrong and what it leads to, in a sentence or two; never a secret. */
  message: string;
  /** Of the resource, where it is one. */
  urn?: string;
  /** Name of the cluster, where it is about one. */
  cluster?: string;
  /** The last day of an exemption that covered it and is over. */
  exemptionEnded?: string | undefined;
}

/** One thing that a rule asks of a stack or a cluster. */
export interface Rule {
  /** Identity, in configs and exemptions: never rename. */
  name: string;
  title: string;
  description: string;
  level: Level;
  severity: "low" | "medium" | "high" | "critical";
  supports: readonly Clause[];
  /** What to do, in steps. */
  remediation: readonly string[];
  /** Where somebody may well want to go on as it is: what an exemption for that names. */
  exemptBy?: "cluster" | "stack";
  /** Where to read on. */
  url: string;
  /** JSON schema of each of its own options. */
  options?: Record<string, object>;
  /** What is wrong with one piece of Cilium's configuration. What decides and cannot be read throws, after all that is known to be wrong. */
  check?: (piece: Piece, config: RuleConfig, where: Where) => Iterable<string>;
  /** What is wrong with all resources together. In an update it runs after the fact, as Pulumi does not ask before. */
  checkAll?: (resources: readonly Resource[], config: RuleConfig, where: Where) => Iterable<Breach>;
  /**
   * Takes the fault out of a resource that has it, in place, and says whether it did: not where that would not be safe. In place, as a copy would
   * lose which values are secrets, and trip over unknown ones.
   */
  mend?: (resource: Resource) => boolean;
}
