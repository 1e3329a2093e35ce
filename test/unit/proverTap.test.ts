import { ProcessTap } from "../../prover/wire/tap.ts";

const heard = { stdout: () => {}, stderr: () => {} };

test("a command that has ended, and of whose end nobody has heard, is no trouble to end again", async () => {
  const tap = new ProcessTap(["sh", "-c"]);
  const run = tap.run(["exit 0"], heard);
  // Its end is known only when the event loop comes to it; until then this waits in the way.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  expect(() => tap.close()).not.toThrow();
  await run;
});

test("a command that runs is ended with all that it started", async () => {
  const tap = new ProcessTap(["sh", "-c"]);
  const run = tap.run(["sleep 60 & sleep 60"], heard);
  tap.close();
  await expect(run).rejects.toThrow(/SIGTERM/);
});
