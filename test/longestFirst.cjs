// CommonJS, as the class that it extends.
const { default: Sequencer } = require("@jest/test-sequencer");

/** What takes longest, first; all else after it. Whole tiers by their folder. */
const FIRST = [
  ...["engine/examples", "engine/lifecycle", "engine/drift", "engine/commandLine", "engine/interrupted"],
  ...["engine/", "policy/", "conformance/", "browser/", "wire/", "unit/eks/"],
];

/**
 * Begins with the tests that take longest, so that none is left to run alone at the end. Jest knows by itself what took long only where it ran before, which a new
 * clone has not.
 */
module.exports = class LongestFirst extends Sequencer {
  /** @param {import("@jest/test-result").Test[]} tests */
  sort(tests) {
    return super.sort(tests).toSorted((one, other) => rank(one) - rank(other));
  }
};

/** @param {import("@jest/test-result").Test} test */
function rank({ path }) {
  const found = FIRST.findIndex((beginning) => path.includes(`/test/${beginning}`));
  return found < 0 ? FIRST.length : found;
}
