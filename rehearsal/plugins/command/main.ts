import { serve } from "../plugin/serve.ts";
import { command } from "./provider.ts";

await serve(command);
