import { checkedSettings } from "./components/checkedSettings.ts";
import { createCluster } from "./components/cluster/cluster.ts";
import { clusterProvider } from "./components/cluster/provider.ts";
import { Admission } from "./components/encryption/admission/admission.ts";
import { AgentsAgree } from "./components/encryption/agents/agents.ts";
import { Cilium } from "./components/encryption/cilium.ts";
import { Guard } from "./components/encryption/guard/guard.ts";
import { nextKeyId as idAfter } from "./components/encryption/ipsecKey.ts";
import { checkedLive } from "./components/live/checkedLive.ts";
import { isSecretMissing, missingPolicies } from "./components/live/drift.ts";
import { Settled } from "./components/live/settled.ts";
import { repairsTold } from "./components/live/told.ts";
import { intentOf } from "./components/proof/intent.ts";
import { Proof } from "./components/proof/proof.ts";
import { Watch } from "./components/proof/watch.ts";

// Node.js keeps lines and columns where it strips types. The SDK takes a stack for each promise, and would look it up in source maps: 0.3 s of a core in each run.
Reflect.deleteProperty(Error, "prepareStackTrace");

const settings = await checkedSettings();
const live = await checkedLive(settings);
const repairs = await repairsTold(live);

const target = await createCluster(settings.cluster.name, settings);
const watch = new Watch("watch", { settings, cluster: target, intent: intentOf(settings, target), repairs });
const guard = new Guard("guard", { settings, cluster: target, after: watch.begun, repair: repairs.guard });
const kubernetes = clusterProvider(settings.cluster.name, target);
const admission = new Admission("admission", {
  ...{ settings, cluster: target, provider: kubernetes },
  ...{ after: watch.begun, repair: repairs.admission, missing: missingPolicies(live) },
});
const cilium = new Cilium("cilium", {
  settings,
  cluster: target,
  provider: kubernetes,
  repair: { token: repairs.cilium, secretMissing: isSecretMissing(live) },
  after: [...watch.begun, ...guard.widened, ...admission.widened],
});
admission.enforced(cilium);
const joined = target.nodesAfter?.(cilium) ?? [];
const agents = new AgentsAgree("agents", { settings, cluster: target, revision: cilium.revision, after: joined });
guard.released(agents);
const proof = new Proof("proof", {
  settings,
  cluster: target,
  revision: cilium.revision,
  repair: repairs.proof,
  after: [agents, ...guard.opened],
});
guard.proven(proof);
admission.proven(proof);
const watched = watch.ended([proof, guard]);
new Settled("record", {
  ...{ settings, cluster: target, provider: kubernetes, live, repairs, proveAgain: proof.mayPass },
  after: [proof, guard, admission, ...watched],
  ran: [
    ...[cilium.revision, proof.ran, watch.change, ...admission.generations],
    ...[...guard.steps, ...admission.steps].map(({ stdout }) => stdout),
  ],
});

export const cluster = target.name;
export const provider = settings.cluster.provider;
export const nodes = target.nodes ?? null;
export const kubeconfigPath = target.kubeconfigPath;
export const context = target.context ?? null;
export const encryption = settings.encryption;
export const nodeEncryption = proof.intent.nodeEncryption;
export const keyId = proof.intent.keyId;
export const nextKeyId = keyId && idAfter(keyId);
export const verdict = proof.verdict;
export const statement = proof.statement;
export const reasons = proof.reasons;
export const counts = proof.counts;
/** Path of evidence.json on the machine that ran the update; evidence.html is beside it. */
export const evidence = proof.evidence;
/** What the last change cost and showed (prover/watch/change.ts), as JSON; null where none was watched. */
export const change = watch.change;
/** What `wirecloak status` holds the live cluster against; JSON, so that it takes one line where outputs are shown. */
export const intent = JSON.stringify(proof.intent);
