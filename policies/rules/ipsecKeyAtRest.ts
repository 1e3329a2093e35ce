import { modeOf } from "../cilium/options.ts";
import { ciliumIn, clustersOf } from "../clusters/clusters.ts";
import type { Breach, Rule } from "../rule.ts";
import { inEach } from "../undecided.ts";

/** The cloud keeps the IPsec key encrypted, with a key of one's own. */
export const ipsecKeyAtRest: Rule = {
  name: "ipsec-key-at-rest",
  title: "The cloud encrypts the Secret of the IPsec key with a key of one's own",
  description:
    "Where the option `required` is true, a cluster of EKS, GKE or AKS with Cilium in IPsec mode has its Secrets encrypted with a key of one's own in the cloud's key service. Without it nothing is asked.",
  level: "mandatory",
  severity: "medium",
  supports: [
    { framework: "PCI DSS 4.0.1", clause: "3.6, 3.7" },
    { framework: "NIST SP 800-53r5", clause: "SC-12, SC-28" },
    { framework: "ISO 27001:2022", clause: "A.8.24" },
  ],
  remediation: [
    'EKS: encryptionConfig with the resource "secrets" and a key of KMS. GKE: databaseEncryption with state ENCRYPTED and a keyName. AKS: securityProfile.azureKeyVaultKms.',
  ],
  url: "https://kubernetes.io/docs/tasks/administer-cluster/kms-provider/",
  options: { required: { type: "boolean" } },
  checkAll: (resources, { required }) =>
    required !== true
      ? []
      : inEach(clustersOf(resources), function* ({ name, of, cloud, contents }): Generator<Breach> {
          if (!of || !cloud?.hasOwnKey || cloud.hasOwnKey(of.props)) return;
          if (![...ciliumIn(contents)].some((options) => modeOf(options) === "ipsec")) return;
          const message = `${cloud.what} ${name}: its Secrets, the IPsec key among them, are not encrypted with a key of one's own`;
          yield { message, urn: of.urn, cluster: name };
        }),
};
