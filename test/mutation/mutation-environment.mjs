import SharedEnvironment from '../support/shared-environment.mjs';

/** How much longer a test may take with a mutant than without: after that it waits for what will not come. */
const PATIENCE_MS = 10_000;
const TIMES = 5;

/**
 * As all tests run, except that it tells the instrumented code which test is under way, skips tests that the mutant cannot
 * reach, and after a failed test all others: a second failure says no more about the mutant.
 */
export default class MutationEnvironment extends SharedEnvironment {
  #mutation = globalThis.__stryker__;
  #file;

  constructor(config, context) {
    super(config, context);
    this.#file = context.testPath;
    this.#outsideTests();
  }

  handleTestEvent = ({ name, test }, { rootDescribeBlock }) => {
    if (name === 'run_start') this.#skipUnwanted(rootDescribeBlock);
    const { activeMutant, durations } = this.#mutation;
    if (name === 'test_fn_failure' || name === 'hook_failure') {
      this.#mutation.failed = true;
      // Each at once, before the hooks of its block are called for nothing.
      if (activeMutant !== undefined) skipAll(rootDescribeBlock);
    }
    if (name === 'test_start') {
      if (activeMutant !== undefined) test.timeout = PATIENCE_MS + TIMES * (durations.get(this.#idOf(test)) ?? 0);
      this.#mutation.currentTestId = this.#idOf(test);
    }
    if (name === 'test_done' || name === 'test_skip') this.#outsideTests();
  };

  /** What loading and hooks reach is noticed by any test of the file. */
  #outsideTests() {
    this.#mutation.currentTestId = this.#file;
  }

  #skipUnwanted(block) {
    const { wanted } = this.#mutation;
    if (!wanted || wanted.has(this.#file)) return;
    for (const child of block.children) {
      if (child.type === 'describeBlock') this.#skipUnwanted(child);
      else if (!wanted.has(this.#idOf(child))) child.mode = 'skip';
    }
  }

  #idOf(test) {
    const names = [];
    for (let at = test; at.parent; at = at.parent) names.unshift(at.name);
    return `${this.#file} ${names.join(' ')}`;
  }
}

function skipAll(block) {
  for (const child of block.children)
    if (child.type === 'describeBlock') skipAll(child);
    else if (child.status === null) child.mode = 'skip';
}
