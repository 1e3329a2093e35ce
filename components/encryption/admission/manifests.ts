import { PARAMETER } from "./params.ts";

/** A ValidatingAdmissionPolicy and its binding, both of this name. */
export interface AdmissionPolicy {
  name: string;
  policy: PolicySpec;
  binding: BindingSpec;
}

interface PolicySpec {
  failurePolicy: "Fail";
  paramKind?: { apiVersion: string; kind: string };
  matchConstraints: {
    matchPolicy: "Equivalent";
    namespaceSelector: { matchLabels: Record<string, string> };
    objectSelector: Record<string, never>;
    resourceRules: (Rule & { scope: "*" })[];
  };
  matchConditions?: Expression[];
  variables?: Expression[];
  validations: (Validation & { reason: "Forbidden" })[];
  auditAnnotations?: { key: string; valueExpression: string }[];
}

interface BindingSpec {
  policyName: string;
  paramRef?: { name: string; namespace: string; parameterNotFoundAction: "Deny" };
  validationActions: ("Deny" | "Audit")[];
}

/** Which requests a policy is asked about. */
export interface Rule {
  apiGroups: string[];
  apiVersions: string[];
  operations: ("CREATE" | "UPDATE" | "DELETE")[];
  resources: string[];
  /** All, where absent. Where a parameter is missing, all requests of a rule are refused, so a rule with one names its objects. */
  resourceNames?: string[];
}

/** A named expression of CEL. */
export interface Expression {
  name: string;
  expression: string;
}

/** What must hold, and what is said where it does not. */
export type Validation = { expression: string } & ({ message: string } | { messageExpression: string });

/** What is particular to one policy. */
export interface Subject {
  rule: Rule;
  conditions?: Expression[];
  variables?: Expression[];
  validations: Validation[];
  /** When somebody's exemption made the difference, and what the audit log says of it; empty where it did not. */
  audited?: string;
  /** Whether it is told by the parameter what is allowed. */
  parameter: boolean;
}

/** The manifests of one policy for the Cilium of this namespace. */
export function admissionPolicy(name: string, namespace: string, subject: Subject): AdmissionPolicy {
  const { rule, conditions, variables, validations, audited, parameter } = subject;
  return {
    name,
    policy: {
      failurePolicy: "Fail",
      ...(parameter && { paramKind: { apiVersion: "v1", kind: "ConfigMap" } }),
      // The API server takes these as one, so with its own defaults: a run that was killed here applies them again under another name, and must find what it applies.
      matchConstraints: {
        matchPolicy: "Equivalent",
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        objectSelector: {},
        resourceRules: [{ ...rule, scope: "*" }],
      },
      ...(conditions && { matchConditions: conditions }),
      ...(variables && { variables }),
      validations: validations.map((validation) => ({ ...validation, reason: "Forbidden" })),
      ...(audited && { auditAnnotations: [{ key: "break-glass", valueExpression: audited }] }),
    },
    binding: {
      policyName: name,
      // Without the parameter nothing may change: it is never loosened by taking it away.
      ...(parameter && { paramRef: { name: PARAMETER, namespace, parameterNotFoundAction: "Deny" } }),
      validationActions: ["Deny", "Audit"],
    },
  };
}
