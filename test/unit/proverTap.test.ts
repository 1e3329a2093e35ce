import { setTimeout as sleep } from "node:timers/promises";
import { ProcessTap } from "../../prover/wire/tap.ts";

const heard = { stdout: () => {}, stderr: () => {} };

test("a command that has ended, but whose output is not at its end, is no trouble to end again", async () => {
  const tap = new ProcessTap(["sh", "-c"]);
  // What holds the output is in a group of its own, so that nothing is left in the command's.
  const run = tap.run(["setsid sleep 1 & exit 0"], heard);
  await sleep(500);
  expect(() => tap.close()).not.toThrow();
  await run;
});

test("a command that runs is ended with all that it started", async () => {
  const tap = new ProcessTap(["sh", "-c"]);
  const run = tap.run(["sleep 60 & sleep 60"], heard);
  tap.close();
  await expect(run).rejects.toThrow(/SIGTERM/);
});
