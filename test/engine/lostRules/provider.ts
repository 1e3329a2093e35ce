// Stands in for AWS's provider: what it made is a file in a folder, and what is not there it does not find.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { detailedDiff } from "../../../rehearsal/plugins/plugin/diff.ts";
import { serve } from "../../../rehearsal/plugins/plugin/serve.ts";

const made = (id: string) => join(process.env.MADE_FOLDER ?? "", id);

await serve({
  name: "aws",
  version: "7.0.0",
  resource: () => ({
    check: ({ news }) => ({ inputs: news }),
    diff: ({ oldInputs, news }) => ({ detailed: detailedDiff(oldInputs, news, () => false) }),
    create: ({ name, inputs, preview }) => {
      if (!preview) writeFileSync(made(name), "");
      return { id: preview ? "" : name, outputs: inputs };
    },
    read: ({ id, inputs, outputs }) => (existsSync(made(id)) ? { id, inputs, outputs } : undefined),
    update: ({ news }) => news,
    delete: ({ id }) => rmSync(made(id), { force: true }),
  }),
});
