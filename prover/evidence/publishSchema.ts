// Writes docs/evidence.schema.json. Run after a change of schema.ts, with `make format` behind it; a test holds the two equal.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { jsonSchema } from "./schema.ts";

writeFileSync(join(import.meta.dirname, "../../docs/evidence.schema.json"), jsonSchema());
