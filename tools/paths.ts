import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** The checkout this program belongs to. */
export const projectRoot: string = join(import.meta.dirname, "..");

type Environment = Record<string, string | undefined>;

/**
 * Where tools are kept by version; one folder for all checkouts of a user.
 * $WIRECLOAK_CACHE_DIR, else $XDG_CACHE_HOME/wirecloak, else ~/.cache/wirecloak.
 */
export function cacheDir(env: Environment = process.env): string {
  return env.WIRECLOAK_CACHE_DIR || join(baseDir(env, "XDG_CACHE_HOME", ".cache"), "wirecloak");
}

/**
 * Where everything of one checkout lives that must outlast a run: Pulumi's local backend, its passphrase, clusters.
 * $WIRECLOAK_STATE_DIR (as it is), else $XDG_STATE_HOME/wirecloak/ID, else ~/.local/state/wirecloak/ID. ID is taken from
 * the real path of the checkout, so a symlink to it finds the same state. Whoever creates it uses mode 0700.
 */
export function stateDir(env: Environment = process.env, checkout: string = projectRoot): string {
  return (
    env.WIRECLOAK_STATE_DIR || join(baseDir(env, "XDG_STATE_HOME", ".local/state"), "wirecloak", checkoutId(checkout))
  );
}

/** Where a cluster of this checkout has its files, whoever makes it: names are unique in a checkout. */
export function clusterFiles(stateDir: string, name: string) {
  const folder = join(stateDir, "clusters", name);
  return { folder, record: join(folder, "cluster.json"), kubeconfig: join(folder, "kubeconfig") };
}

/** Where the newest evidence of a cluster of this checkout is. */
export function evidenceFolder(cluster: string): string {
  return join(stateDir(), "evidence", cluster);
}

/** Where the watch over a change of this cluster keeps its journal, its log and its result. */
export function watchFolder(cluster: string): string {
  return join(stateDir(), "watch", cluster);
}

/** The XDG base directory specification tells to ignore a relative path in its variables. */
function baseDir(env: Environment, variable: string, underHome: string): string {
  const configured = env[variable];
  return configured && isAbsolute(configured) ? configured : join(env.HOME || homedir(), underHome);
}

/** The name carries identity: another name, and a checkout no longer finds its clusters. */
function checkoutId(checkout: string): string {
  return createHash("sha256").update(realpathSync(checkout)).digest("hex").slice(0, 12);
}
