import { serve } from "../plugin/serve.ts";
import { random } from "./provider.ts";

await serve(random);
