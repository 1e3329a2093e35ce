import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { parseDocument } from "yaml";
import { UserError } from "../components/userError.ts";
import { cacheDir, projectRoot, stateDir } from "../tools/paths.ts";
import { fileBackend } from "./fileBackend.ts";
import { stackConfigPath } from "./stackConfig.ts";

/** How this checkout's commands talk to Pulumi: whose backend, which environment. */
export interface Session {
  /** False where the user is logged in elsewhere: then backend, secrets and config files are theirs alone. */
  ownBackend: boolean;
  env: NodeJS.ProcessEnv;
}

/** Opens a session. `path` holds the folders of the tools, first wins. */
export function openSession(path: string[]): Session {
  const nodeBin = join(projectRoot, "node_modules/.bin");
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: [...path, nodeBin, process.env.PATH ?? ""].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  const ownBackend = !loggedInElsewhere(process.env);
  if (ownBackend) {
    const backend = join(stateDir(), "backend");
    mkdirSync(backend, { recursive: true, mode: 0o700 });
    env.PULUMI_BACKEND_URL = fileBackend(backend);
    env.PULUMI_CONFIG_PASSPHRASE_FILE = passphraseFile();
    // It would win over the file.
    delete env.PULUMI_CONFIG_PASSPHRASE;
    env.PULUMI_HOME = pulumiHome();
  }
  return { ownBackend, env };
}

/** Pulumi's own home (plugins, workspaces) for our backend, so that the user's stays as it is. */
export function pulumiHome(): string {
  return loggedInElsewhere(process.env)
    ? (process.env.PULUMI_HOME ?? join(homedir(), ".pulumi"))
    : join(cacheDir(), "pulumi-home");
}

/** Whether the user has chosen a Pulumi backend: by environment, or by `pulumi login`. */
function loggedInElsewhere(env: NodeJS.ProcessEnv): boolean {
  if (env.PULUMI_BACKEND_URL || env.PULUMI_ACCESS_TOKEN) return true;
  const credentials = join(env.PULUMI_HOME ?? join(homedir(), ".pulumi"), "credentials.json");
  try {
    return Boolean((JSON.parse(readFileSync(credentials, "utf8")) as { current?: string }).current);
  } catch {
    return false;
  }
}

/** The passphrase that encrypts the secrets in our backend: made once, readable by its owner only, never in the repository. */
function passphraseFile(): string {
  const file = join(stateDir(), "passphrase");
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  return file;
}

/** Folder of the copies of config files that Pulumi may write to (it adds `encryptionsalt`), so that the committed ones stay as they are. */
function configCopies(): string {
  const folder = join(stateDir(), "config");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Brings the copy of a stack's config up to date with the committed file, keeping the salt of earlier runs; returns its path. */
function refreshConfigCopy(stack: string): string {
  const copy = join(configCopies(), `Pulumi.${stack}.yaml`);
  const document = parseDocument(readFileSync(stackConfigPath(projectRoot, stack), "utf8"));
  if (existsSync(copy) && !document.has("encryptionsalt")) {
    const salt = parseDocument(readFileSync(copy, "utf8")).get("encryptionsalt");
    if (salt) document.set("encryptionsalt", salt);
  }
  writeFileSync(copy, document.toString(), { mode: 0o600 });
  return copy;
}

/** The commands of Pulumi's CLI that take `--config-file`. */
const TAKES_CONFIG_FILE = new Set(["up", "update", "preview", "refresh", "destroy", "import", "watch"]);

/** Those that work on a stack; `config` writes into the committed file, as it should. */
const TAKES_STACK = new Set([...TAKES_CONFIG_FILE, "stack", "config", "cancel", "state", "about", "logs"]);

/** Arguments for a Pulumi command on a stack, with our copy of the config file where the command takes one. */
export function stackArguments(session: Session, stack: string, [command = "", ...rest]: string[]): string[] {
  const config =
    session.ownBackend && TAKES_CONFIG_FILE.has(command) ? ["--config-file", refreshConfigCopy(stack)] : [];
  const ours = [...(TAKES_STACK.has(command) ? ["--stack", stack] : []), ...config];
  // What follows it is no option to Pulumi.
  const end = rest.includes("--") ? rest.indexOf("--") : rest.length;
  return [command, ...rest.slice(0, end), ...ours, ...rest.slice(end)];
}

/** Runs Pulumi in the foreground, its output on the terminal; resolves with the exit code. */
export function pulumi(session: Session, args: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("pulumi", args, { cwd: projectRoot, env: session.env, stdio: "inherit" });
    // Ctrl-C reaches Pulumi too, which ends in its own time; we wait for it.
    const wait = () => undefined;
    process.on("SIGINT", wait);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait);
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}

/** Bytes of an exported state at most: ours is well below a million, others' may hold a thousand charts. */
const STATE = 512 << 20;

/** Runs Pulumi and returns its standard output, or undefined where it failed. */
export function pulumiOutput(session: Session, args: string[]): string | undefined {
  const { status, stdout } = spawnPulumi(session, args);
  return status === 0 ? stdout : undefined;
}

/** Runs Pulumi and keeps what it says to itself. */
export function pulumiQuietly(session: Session, args: string[]): { code: number; output: string } {
  const { status, stdout, stderr } = spawnPulumi(session, args);
  return { code: status ?? 1, output: `${stdout}${stderr}` };
}

function spawnPulumi({ env }: Session, args: string[]) {
  return spawnSync("pulumi", args, { cwd: projectRoot, env, encoding: "utf8", maxBuffer: STATE });
}

/** The stacks of this project in the session's backend. */
export function stacks(session: Session): string[] {
  const listed = pulumiOutput(session, ["stack", "ls", "--json"]) ?? "[]";
  return (JSON.parse(listed) as { name: string }[]).map((stack) => stack.name);
}

/** Creates the stack where it is missing. Pulumi writes a salt beside it, so in our backend it is run in the folder of the copies. */
export function ensureStack(session: Session, stack: string): void {
  if (stacks(session).includes(stack)) return;
  let cwd = projectRoot;
  if (session.ownBackend) {
    cwd = configCopies();
    copyFileSync(join(projectRoot, "Pulumi.yaml"), join(cwd, "Pulumi.yaml"));
    refreshConfigCopy(stack);
  }
  const { status, stderr } = spawnSync("pulumi", ["stack", "init", stack, "--no-select"], {
    cwd,
    env: session.env,
    encoding: "utf8",
  });
  if (status !== 0)
    throw new UserError([{ key: "stack", value: stack, message: `Pulumi could not create it: ${stderr.trim()}` }]);
}
