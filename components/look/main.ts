// node main.ts   reads a Looking (JSON) from stdin, looks at this machine and the live cluster, and prints what it saw (`Looked`) as one line
import { json } from "node:stream/consumers";
import { type Looking, look } from "./look.ts";

console.log(JSON.stringify(await look((await json(process.stdin)) as Looking)));
