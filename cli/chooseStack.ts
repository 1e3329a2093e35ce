import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type ClusterSettings, loadSettings, providerIn, type Settings } from "../components/settings.ts";
import { type Problem, UserError } from "../components/userError.ts";
import { projectRoot, stateDir } from "../tools/paths.ts";
import { runnable } from "./runnable.ts";
import { readStackConfig, stackConfigPath } from "./stackConfig.ts";

/** A stack of this checkout, whatever its settings are worth. */
export interface NamedStack {
  name: string;
  /** Undefined where the settings name none that there is. */
  provider: ClusterSettings["provider"] | undefined;
  /** Why this one, where nobody asked for it by name. */
  why?: string;
}

/** A stack of this checkout, with its checked settings. */
export interface Stack extends NamedStack {
  settings: Settings;
  warnings: Problem[];
}

function configOf(stack: string): Record<string, string> {
  return readStackConfig(stackConfigPath(projectRoot, stack));
}

/** Facts that the choice of a stack rests on. */
export interface Surroundings {
  /** Stacks of this checkout that exist in the backend. */
  existing: NamedStack[];
  /** Undefined where Docker answers, else why it does not. */
  noDocker: string | undefined;
}

/** Chooses the stack that nobody named, never one in a cloud: an existing kind one, else what exists (unless for `up`), else kind where Docker answers, else rehearsal. */
export function chooseName(
  command: "up" | "other",
  { existing, noDocker }: Surroundings,
): { name: string; why: string } {
  const kind = existing.find(({ provider }) => provider === "kind");
  if (kind) return { name: kind.name, why: `the kind stack ${kind.name} of this checkout exists` };
  // What `down` takes away in a cloud somebody pays for, and may still need.
  const only = existing.find(({ provider }) => provider !== undefined && provider !== "eks");
  if (command === "other" && only) return { name: only.name, why: "it exists" };
  if (noDocker === undefined) return { name: "dev", why: "Docker answers, so the cluster is made by kind" };
  return { name: "rehearsal", why: `no kind cluster here: ${noDocker}` };
}

/** The stack asked for, or the chosen one. */
export function findStack(asked: string | undefined, command: "up" | "other"): NamedStack {
  const named = (name: string) => ({ name, provider: providerIn(configOf(name)) });
  if (asked !== undefined) return named(asked);
  const { name, why } = chooseName(command, { existing: existingStacks().map(named), noDocker: dockerTrouble() });
  return { ...named(name), why };
}

/** The same with its settings. */
export function chooseStack(asked: string | undefined, command: "up" | "other"): Stack {
  return withSettings(findStack(asked, command));
}

/** A stack with its settings, from its committed config file; a UserError names all that is wrong with them. */
export function withSettings(stack: NamedStack): Stack {
  const today = new Date().toISOString().slice(0, 10);
  const asRunnable = ({ fix, ...problem }: Problem): Problem =>
    fix === undefined ? problem : { ...problem, fix: runnable(fix, stack.name) };
  try {
    const { settings, warnings } = loadSettings(configOf(stack.name), { projectRoot, today });
    return { ...stack, settings, warnings: warnings.map(asRunnable) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.problems.map(asRunnable));
  }
}

/** Stacks in this checkout's own backend; where the user is logged in elsewhere none is assumed. */
export function existingStacks(): string[] {
  const folder = join(stateDir(), "backend/.pulumi/stacks/wirecloak");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((file) => {
    const name = /^(.+)\.json$/.exec(file)?.[1];
    return name && existsSync(join(projectRoot, `Pulumi.${name}.yaml`)) ? [name] : [];
  });
}

/** Why Docker cannot be used, in a line; undefined where it answers. */
export function dockerTrouble(): string | undefined {
  const { status, error, stderr } = spawnSync("docker", ["version", "--format", "{{.Server.Version}}"], {
    encoding: "utf8",
    timeout: 5_000,
  });
  if (error)
    return (error as NodeJS.ErrnoException).code === "ENOENT"
      ? "docker is not installed"
      : "Docker does not answer in 5 s";
  return status === 0 ? undefined : (stderr.trim().split("\n").at(-1) ?? "Docker does not answer");
}
