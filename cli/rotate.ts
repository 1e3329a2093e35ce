import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { nextKeyId } from "../components/encryption/ipsecKey.ts";
import { isLive, type Live, readLive } from "../components/live/live.ts";
import { preflight } from "../components/live/preflight.ts";
import { oldKeyGoneAt } from "../components/live/rotation.ts";
import type { Settings } from "../components/settings.ts";
import { UserError } from "../components/userError.ts";
import type { Evidence } from "../prover/evidence/schema.ts";
import { Kubernetes } from "../prover/kubernetes.ts";
import { endedBy } from "../prover/proverError.ts";
import { run } from "../prover/run.ts";
import { verify } from "../prover/verify.ts";
import { readNote, writeWhole } from "../tools/files.ts";
import { toolFolders } from "../tools/folders.ts";
import { evidenceFolder, projectRoot } from "../tools/paths.ts";
import { chooseStack } from "./chooseStack.ts";
import { withKeyId } from "./keyIdEdit.ts";
import { type KeysSeen, oldKeyGone } from "./oldKey.ts";
import { say } from "./say.ts";
import { openSession, pulumiHome } from "./session.ts";
import { stackConfigPath } from "./stackConfig.ts";
import type { FindCluster, LiveCluster } from "./status.ts";
import { bringUp } from "./up.ts";

interface Flags {
  stack?: string;
  dryRun?: true;
  wait?: true;
}

/** `wirecloak rotate`: the next IPsec key, written into the stack's config file and brought up. */
export function registerRotate(program: Command, find: FindCluster): void {
  program
    .command("rotate")
    .description("step the IPsec key to the next id: in the stack's config file, in the cluster, and proven")
    .option("-s, --stack <name>", "the stack (default: the one that is there)")
    .option("--dry-run", "only say what would be done, or why it would be refused")
    .option("--wait", "wait until the old key is gone from every node, and prove that too")
    .action(async (flags: Flags) => {
      process.exit(await rotate(flags, find));
    });
}

async function rotate({ stack: asked, dryRun, wait }: Flags, find: FindCluster): Promise<number> {
  const { name, settings } = chooseStack(asked, "other");
  if (settings.encryption !== "ipsec") throw noKey(settings.encryption);
  // The programs that read the live cluster take their tools from this process's PATH.
  process.env.PATH = openSession(await toolFolders(settings.cluster.provider, pulumiHome())).env.PATH;
  const live = await liveOf(name, settings);
  const old = live.secret?.keyId ?? settings.ipsec.keyId;
  const next = nextKeyId(old);
  const problems = preflight({ ...settings, ipsec: { ...settings.ipsec, keyId: next } }, live, new Date());
  if (problems.length > 0) throw new UserError(problems);

  const file = stackConfigPath(projectRoot, name);
  const before = readFileSync(file, "utf8");
  say(`stack ${name}: IPsec key ${old} -> ${next}, in ${file} and in the cluster`);
  if (dryRun) return 0;
  writeWhole(file, withKeyId(before, next));
  const code = await bringUp(name);
  if (code !== 0) return undone(code, { name, settings, file, before, old });

  const now = await readLive(settings);
  const gone = isLive(now) ? oldKeyGoneAt(settings, now) : null;
  if (!wait) {
    if (gone)
      say(
        `nodes still read what is encrypted with key ${old}, until ${gone.toISOString()}; then ./bin/wirecloak verify`,
      );
    return 0;
  }
  return provenWithout(old, await find(name), gone);
}

/** The file goes back only where nothing of the new key is in the cluster: once the Secret has it, going back is refused. */
async function undone(
  code: number,
  {
    name,
    settings,
    file,
    before,
    old,
  }: { name: string; settings: Settings; file: string; before: string; old: number },
): Promise<number> {
  const live = await readLive(settings);
  if (isLive(live) && live.secret?.keyId === old) {
    writeWhole(file, before);
    say(`key ${old} is still in place, and ${file} is as it was`);
  } else say(`the new key may be in the cluster already, so ${file} keeps it: make up STACK=${name} goes on`);
  return code;
}

/** Waits until no node has the old key any more, and proves that all still goes, with the new key id on the wire. */
async function provenWithout(
  old: number,
  { intent, kubeconfig, context }: LiveCluster,
  gone: Date | null,
): Promise<number> {
  try {
    const api = Kubernetes.open(kubeconfig, context, intent.cilium.namespace);
    const look = async (): Promise<KeysSeen[]> => {
      const { report } = await verify(intent, api, { wait: 0 });
      return report.nodes.map(({ name, keysInUse, keys }) => ({ node: name, keysInUse, keys }));
    };
    const evidence = evidenceFolder(intent.cluster);
    const { met, told } = await oldKeyGone(look, gone ?? new Date(), { proof: seenInProof(evidence) });
    say(told);
    if (!met) return 1;
    const code = await run(intent, api, { wait: 10, evidence, shown: "text" });
    say(
      code === 0 ? `key ${old} is gone from every node; evidence: ${evidence}/evidence.html` : "see the verdict above",
    );
    return code;
  } catch (error) {
    return endedBy(error);
  }
}

async function liveOf(stack: string, settings: Settings): Promise<Live> {
  const live = await readLive(settings);
  if (isLive(live)) return live;
  throw new UserError([
    live === undefined
      ? { key: "stack", value: stack, message: "It has no cluster yet.", fix: `make up STACK=${stack}` }
      : { key: "stack", value: stack, message: `Its cluster does not answer: ${live.unreachable}`, fix: "make doctor" },
  ]);
}

function noKey(encryption: Settings["encryption"]): UserError {
  const message =
    encryption === "wireguard"
      ? "There is no key to rotate: in WireGuard mode each node makes its own, a new one whenever it boots."
      : "There is no key to rotate: encryption is off.";
  return new UserError([{ key: "wirecloak:encryption", value: encryption, message, allowed: "ipsec" }]);
}

/** The keys that the update's own proof saw, from its evidence. */
function seenInProof(folder: string): KeysSeen[] {
  const { nodes = [] } = readNote<Pick<Evidence, "nodes">>(join(folder, "evidence.json")) ?? {};
  return nodes.map(({ name, keysInUse, keys }) => ({ node: name, keysInUse, keys }));
}
