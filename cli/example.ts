import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Command } from "commander";
import { UserError } from "../components/userError.ts";
import { endedBy } from "../prover/proverError.ts";
import { toolFolders } from "../tools/folders.ts";
import { projectRoot, stateDir } from "../tools/paths.ts";
import { dockerTrouble } from "./chooseStack.ts";
import { differences } from "./example/compare.ts";
import { changedConfig, clusterNameOf, type Example, exampleNames, readExample } from "./example/exampleFile.ts";
import { ExampleStack } from "./example/exampleStack.ts";
import { ExampleRun } from "./example/steps.ts";
import { say } from "./say.ts";
import { openSession, pulumiHome } from "./session.ts";

const PROVIDERS = ["kind", "rehearsal"] as const;
type Provider = (typeof PROVIDERS)[number];

/** `wirecloak example`: runs one of examples/ from start to end, beside the user's own stacks. */
export function registerExample(program: Command): void {
  program
    .command("example")
    .description(
      "run an example of examples/ in a stack of its own, compare what is seen with what is expected, remove it",
    )
    .argument("[name]", "which one (default: lists them)")
    .option("--provider <name>", "kind or rehearsal (default: kind where Docker answers)")
    .option("--keep", "leave the cluster, and say where it is")
    .option("--remove", "only remove what --keep left")
    .action(async (name: string | undefined, { provider, ...how }: Flags) => {
      if (name === undefined) return list();
      process.exit(await run(readExample(name), providerOf(provider), how));
    });
}

interface Flags {
  provider?: string;
  keep?: true;
  remove?: true;
}

function list(): void {
  for (const name of exampleNames()) console.log(`${name.padEnd(28)}${readExample(name).about}`);
}

function providerOf(asked: string | undefined): Provider {
  if (asked === undefined) return dockerTrouble() === undefined ? "kind" : "rehearsal";
  const provider = PROVIDERS.find((each) => each === asked);
  if (provider) return provider;
  throw new UserError([
    { key: "--provider", value: asked, message: "Examples do not run there.", allowed: PROVIDERS.join(", ") },
  ]);
}

async function run(example: Example, provider: Provider, { keep, remove }: Omit<Flags, "provider">): Promise<number> {
  const { env } = openSession(await toolFolders(provider, pulumiHome()));
  const config = configFor(example, provider);
  // Beside the state folder, which `down` removes whole with the last stack.
  // By the cluster's name, which is short: paths of sockets below the state folder have a limit of some 100 characters.
  const stack = new ExampleStack(join(`${stateDir()}-examples`, clusterNameOf(example)), example.program, env);
  const stop = interrupted(() => stack.interrupt());
  if (!remove) console.log(`${example.name} (${provider}): ${example.about}`);
  try {
    stack.remove();
    if (remove) return 0;
    if (provider === "rehearsal") packageStandIn(env);
    stack.create();
    return await steps(example, new ExampleRun(example, stack, config), stop.signal);
  } catch (error) {
    return endedBy(error, (message) => console.log(`✗ ${message}`));
  } finally {
    if (keep) {
      console.log(`kept under ${stack.home}; wirecloak example ${example.name} --remove`);
    } else {
      stack.remove();
      console.log("removed");
    }
    stop.done();
  }
}

/** Lines of what a step saw that are shown: the last ones have the reason where it failed. */
const TOLD = 20;

/** Goes on until a step's outcome is not as expected. */
async function steps(example: Example, run: ExampleRun, signal: AbortSignal): Promise<0 | 1> {
  for (const step of example.steps) {
    if (signal.aborted) return 1;
    const began = performance.now();
    const { observed, told } = await run.step(step);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const off = differences(step.expect, observed);
    console.log(`${off.length === 0 ? "✓" : "✗"} ${step.name} (${seconds} s)`);
    for (const line of told.split("\n").slice(-TOLD)) console.log(`    ${line}`);
    if (off.length === 0) continue;
    console.log(`not as expected:\n${off.map((line) => `  ${line}`).join("\n")}`);
    return 1;
  }
  console.log(`as expected: ${example.steps.length} steps`);
  return 0;
}

/** The example's config on a provider: the same but for what makes the cluster. */
function configFor({ config, namespace }: Example, provider: Provider): Record<string, unknown> {
  return changedConfig(config, {
    [`${namespace}:cluster`]: { provider },
    ...(provider === "rehearsal" && {
      [`${namespace}:cilium`]: {
        ...(config[`${namespace}:cilium`] as object | undefined),
        chart: join(projectRoot, "rehearsal/packages"),
      },
    }),
  });
}

function packageStandIn(env: NodeJS.ProcessEnv): void {
  const { status } = spawnSync("node", [join(projectRoot, "rehearsal/main.ts"), "package"], { env, stdio: "ignore" });
  if (status !== 0) throw new UserError([{ key: "rehearsal chart", message: "It could not be packaged." }]);
}

/** Ctrl-C ends the step that runs, and then what was made is removed. */
function interrupted(end: () => void): { signal: AbortSignal; done: () => void } {
  const stop = new AbortController();
  const heed = (name: NodeJS.Signals): void => {
    if (!stop.signal.aborted) say("interrupted: removing what was made");
    stop.abort();
    // A terminal's Ctrl-C reaches what runs by itself, and Pulumi takes a second one for "at once".
    if (name === "SIGTERM") end();
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, heed);
  return {
    signal: stop.signal,
    done: () => {
      for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, heed);
    },
  };
}
