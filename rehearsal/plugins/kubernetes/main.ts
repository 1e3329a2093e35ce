import { serve } from "../plugin/serve.ts";
import { kubernetes } from "./provider.ts";

await serve(kubernetes);
