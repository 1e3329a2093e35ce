// A provider for tests: it accepts all that the real one would be asked for, makes nothing, and writes down what reaches it.
//   node provider.ts NAME VERSION [what the engine says]
import { appendFileSync } from "node:fs";
import { detailedDiff } from "../../../rehearsal/plugins/plugin/diff.ts";
import { serve } from "../../../rehearsal/plugins/plugin/serve.ts";
import { type PropertyMap, revealMap, unknown } from "../../../rehearsal/plugins/plugin/values.ts";

const [name = "", version = "", ...engine] = process.argv.slice(2);
const ASKED = process.env.ASKED_FILE ?? "";

function writeDown(type: string, name: string, inputs: PropertyMap): void {
  appendFileSync(ASKED, `${JSON.stringify({ type, name, inputs: revealMap(inputs) })}\n`);
}

/** What a program reads of some types beside its inputs: what a command says, as JSON, and a release's revision. */
function made(type: string, inputs: PropertyMap, preview: boolean): PropertyMap {
  switch (type) {
    case "command:local:Command":
      return { ...inputs, stdout: preview ? unknown : "{}" };
    case "kubernetes:helm.sh/v3:Release":
      return { ...inputs, status: preview ? unknown : { revision: 1 } };
    default:
      return inputs;
  }
}

await serve(
  {
    name,
    version,
    resource: (type) => ({
      check: ({ news }) => ({ inputs: news }),
      diff: ({ oldInputs, news }) => ({ detailed: detailedDiff(oldInputs, news, () => false) }),
      create: ({ name, inputs, preview }) => {
        if (!preview) writeDown(type, name, inputs);
        return { id: preview ? "" : name, outputs: made(type, inputs, preview) };
      },
      read: ({ id, inputs, outputs }) => ({ id, inputs, outputs }),
      update: ({ name, news, preview }) => {
        if (!preview) writeDown(type, name, news);
        return made(type, news, preview);
      },
      delete: () => undefined,
    }),
  },
  engine,
);
