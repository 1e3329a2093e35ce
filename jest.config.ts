import type { Config } from "jest";

/** One jest for all tiers; `test/run.ts` chooses the tier by folder. */
const config: Config = {
  testEnvironment: "<rootDir>/test/environment.cjs",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  extensionsToTreatAsEsm: [],
  transform: {
    "\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2023" }, module: { type: "commonjs" } },
    ],
  },
  testSequencer: "<rootDir>/test/longestFirst.cjs",
  setupFiles: ["<rootDir>/test/setup.ts"],
};
export default config;
