// CommonJS, as the class that it extends.
const { TestEnvironment } = require("jest-environment-node");

/**
 * Jest looks each frame of a stack up in source maps, and the Pulumi SDK takes a stack of every promise, for who looks for leaked ones: that was half the time of the
 * tests under mocks. Those stacks nobody sees.
 */
module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    // By now jest has put its own there (jest-runner, runTest), for tests too.
    const mapped = Error.prepareStackTrace;
    if (mapped === undefined) throw new Error("jest has set no Error.prepareStackTrace");
    Error.prepareStackTrace = (error, frames) =>
      frames[0]?.getFunctionName() === "debuggablePromise" ? "" : mapped(error, frames);
    // Jest wants a hundred frames.
    this.global.Error.stackTraceLimit = 10;
  }
};
