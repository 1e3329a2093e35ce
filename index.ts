import { nextKeyId as idAfter } from "./components/encryption/ipsecKey.ts";
import { checkedConfig } from "./components/look/checked.ts";
import { wire } from "./components/wiring.ts";

// Node.js keeps lines and columns where it strips types. The SDK takes a stack for each promise, and would look it up in source maps: 0.3 s of a core in each run.
Reflect.deleteProperty(Error, "prepareStackTrace");

const checked = await checkedConfig();
const { settings } = checked;
const { cluster: target, proof, watch } = wire(checked);

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
