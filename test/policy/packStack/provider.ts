// A provider for tests of the pack: it accepts all that the real one would be asked for, and writes down what reaches it.
import { appendFileSync } from "node:fs";
import { detailedDiff } from "../../../rehearsal/plugins/plugin/diff.ts";
import { serve } from "../../../rehearsal/plugins/plugin/serve.ts";
import { type PropertyMap, revealMap } from "../../../rehearsal/plugins/plugin/values.ts";

const ASKED = process.env.ASKED_FILE ?? "";

function writeDown(type: string, name: string, inputs: PropertyMap): void {
  appendFileSync(ASKED, `${JSON.stringify({ type, name, inputs: revealMap(inputs) })}\n`);
}

await serve({
  name: "kubernetes",
  version: "4.34.2",
  resource: (type) => ({
    check: ({ news }) => ({ inputs: news }),
    diff: ({ oldInputs, news }) => ({ detailed: detailedDiff(oldInputs, news, () => false) }),
    create: ({ name, inputs, preview }) => {
      if (!preview) writeDown(type, name, inputs);
      return { id: preview ? "" : name, outputs: inputs };
    },
    read: ({ id, inputs, outputs }) => ({ id, inputs, outputs }),
    update: ({ name, news, preview }) => {
      if (!preview) writeDown(type, name, news);
      return news;
    },
    delete: () => undefined,
  }),
});
