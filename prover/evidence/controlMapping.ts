import type { Intent } from "../intent.ts";
import type { Verdict } from "../judge.ts";
import type { ControlEvidence } from "./schema.ts";

interface Control {
  framework: string;
  control: string;
  title: string;
  /** What is supported, and where that ends: goes on after `Supports`. */
  wording(intent: Pick<Intent, "encryption" | "nodeEncryption">): string;
}

/** Requirements that encryption between nodes is evidence for. The titles are short names, not the clauses' text. */
const CONTROLS: readonly Control[] = [
  {
    framework: "PCI DSS 4.0.1",
    control: "4.2.1",
    title: "Strong cryptography for cardholder data in transmission over open, public networks",
    wording: () =>
      "4.2.1 where the network between the nodes counts as open or public; on internal networks it is good practice that 4.2.1 does not mandate.",
  },
  {
    framework: "NIST SP 800-53 Rev. 5",
    control: "SC-8, SC-8(1)",
    title: "Transmission confidentiality and integrity; cryptographic protection",
    wording: ({ nodeEncryption }) =>
      `SC-8 and SC-8(1) for traffic between pods on different nodes${nodeEncryption ? " and between nodes" : "; traffic of the nodes themselves is not covered"}.`,
  },
  {
    framework: "NIST SP 800-53 Rev. 5",
    control: "SC-13",
    title: "Cryptographic protection",
    wording: ({ encryption }) =>
      encryption === "ipsec"
        ? "SC-13: AES-GCM by the nodes' kernels. Where FIPS-validated cryptography is required, the validation of that kernel module has to be shown separately."
        : "SC-13 where the determined cryptography admits ChaCha20-Poly1305. WireGuard has no FIPS-validated path in Cilium.",
  },
  {
    framework: "HIPAA Security Rule",
    control: "45 CFR 164.312(e)(1), (e)(2)(ii)",
    title: "Transmission security; encryption (addressable)",
    wording: () => "(e)(1), and (e)(2)(ii) as the way in which encryption is implemented between nodes.",
  },
  {
    framework: "ISO/IEC 27001:2022",
    control: "A.8.24",
    title: "Use of cryptography",
    wording: () => "A.8.24 as a record that the rule on encryption in transit is in effect, and of the key in use.",
  },
];

/** The map of this run to controls. Only a proven run of a real cluster is evidence for any. */
export function controlsOf(
  intent: Pick<Intent, "encryption" | "nodeEncryption">,
  verdict: Verdict,
  simulated: boolean,
): ControlEvidence[] {
  const supported = verdict === "proven" && !simulated;
  return CONTROLS.map(({ framework, control, title, wording }) => ({
    framework,
    control,
    title,
    supported,
    wording: `${supported ? "Supports" : "A proven run of a real cluster would support"} ${wording(intent)}`,
  }));
}
