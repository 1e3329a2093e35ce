import { allChecks } from "../../../prover/checks/checks.ts";
import type { Proof } from "../../../prover/evidence/document.ts";
import { judge } from "../../../prover/judge.ts";
import { reportOf } from "../../../prover/report.ts";
import type { PlaintextSeen } from "../../../prover/wire/observation.ts";
import { type Case, nodeName } from "../proverTroubles/healthy.ts";
import { healthyOnWire, passedBy, plainPackets, type WireCase } from "../proverTroubles/wire.ts";

interface Made {
  nodes?: number;
  simulated?: boolean;
  worsen?(made: WireCase): void;
}

/** The proof of a cluster in a mode: healthy but for what `worsen` does to it. */
export function proofOf(name: Case, { nodes = 4, simulated = false, worsen }: Made = {}): Proof {
  const made = healthyOnWire(name, "tunnel", nodes);
  const intent = { ...made.intent, simulated, provider: simulated ? "rehearsal" : "kind" };
  worsen?.({ ...made, intent });
  return judged({
    report: reportOf(intent, made.seen, judge(intent, made.seen, []), { requests: 31, seconds: 12.4 }),
    intent,
    observation: made.seen,
    versions: { prover: "0.1.0", kubernetes: "v1.35.4", tools: { tcpdump: "4.99.4" } },
    keyAgeDays: null,
    benches: [],
    startedAt: "2026-11-21T10:00:00.000Z",
    endedAt: "2026-11-21T10:00:12.400Z",
  });
}

/** The same proof with its observation judged, by all checks. */
export function judged(proof: Proof): Proof {
  const { intent, observation } = proof;
  const cost = { requests: proof.report.requests, seconds: proof.report.seconds };
  return { ...proof, report: reportOf(intent, observation, judge(intent, observation, allChecks), cost) };
}

/** All is well. */
export function proven(name: Case = "wireguard", made: Made = {}): Proof {
  return proofOf(name, made);
}

/** One direction between two workers goes in clear. */
export function failed(made: Made = {}): Proof {
  return proofOf("ipsec", {
    ...made,
    worsen: ({ wire }) => {
      for (const vantage of passedBy(wire, 1)) vantage.plaintext.push(leak(1, 3, 6));
    },
  });
}

/** One node's capture is blind, and another cannot be probed at all. */
export function notProven(made: Made = {}): Proof {
  return proofOf("wireguard with node encryption", {
    ...made,
    worsen: ({ wire }) => {
      const [blind, silent] = [nodeName(2), nodeName(3)];
      for (const vantage of wire.vantages) {
        vantage.controls = vantage.controls.filter(({ from }) => from !== silent);
        for (const control of vantage.controls) if (vantage.node === blind) control.seen = 0;
        vantage.ciphertext = vantage.ciphertext.filter(({ from, to }) => from !== silent && to !== silent);
        if (vantage.node === silent) Object.assign(vantage, { silent: "no probe pod", complete: false });
      }
      for (const probe of wire.probes)
        if (probe.node === silent) Object.assign(probe, { podIp: null, device: null, silent: "ImagePullBackOff" });
      for (const flow of wire.flows) {
        if (flow.from === silent) Object.assign(flow, { sent: 0, returned: 0, silent: "no probe pod" });
        if (flow.to === silent) flow.returned = 0;
      }
    },
  });
}

/** A readable packet with a marker, inside the overlay, from one node's pod to another's. */
export function leak(from: number, to: number, packets: number): PlaintextSeen {
  const plain = plainPackets({ from, to });
  const example = `IP 172.30.0.${from + 1}.41712 > 172.30.0.${to + 1}.8472: OTV, flags [I] (0x08), overlay 0, instance 2: ${plain.example}`;
  return { ...plain, form: "vxlan", packets, example };
}
