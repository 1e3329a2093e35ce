// node ourProgram.ts   runs index.ts under mocks, with the stack config of $PULUMI_CONFIG and nothing looked at, and prints the resources' URNs.
// A process of its own: index.ts waits at its top, which jest's modules cannot.
import { registerHooks } from "node:module";
import { run } from "./program.ts";

const nothing = "export const look = async () => ({ findings: [], problems: [] }); export const lookNow = undefined;";
registerHooks({
  load: (url, context, next) =>
    url.endsWith("/components/look/look.ts")
      ? { format: "module", shortCircuit: true, source: nothing }
      : next(url, context),
});

const { urns, resources } = await run(() => import("../../../index.ts"));
console.log(JSON.stringify({ urns, resources: resources.length }));
