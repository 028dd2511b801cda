import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readConfig } from 'jest-config';
import TestRunner from 'jest-runner';
import Runtime from 'jest-runtime';
import pg from 'pg';

/** Stryker's `TestStatus`. */
const SUCCESS = 0;
const FAILED = 1;
const SKIPPED = 2;

/**
 * Stryker's plugin: it runs test files in this process, where packages are loaded once, and configuration and file maps
 * are read once. For a mutant it runs only the files that reach it, the fastest first, and ends at the first failure.
 * Stryker's own runner for jest starts all of jest anew for each mutant, which takes longer than most of our tests.
 */
class JestRunner {
  #config;
  #context;
  /** The test files, each with the milliseconds that it took without a mutant. */
  #files = new Map(JSON.parse(process.env.MUTATION_TESTS).map((file) => [join(process.cwd(), file), 0]));
  /** The global that Stryker's instrumented code and `mutation-environment` look at. */
  #mutation = { durations: new Map() };
  /** What the dry run has measured, for the process that follows one that a mutant has hung or ended. */
  #notes = join(process.cwd(), 'mutation-durations.json');

  capabilities() {
    // Each file loads our own modules anew.
    return { reloadEnvironment: true };
  }

  async init() {
    const argv = { $0: 'mutation', _: [], runInBand: true };
    this.#config = await readConfig(argv, join(process.cwd(), 'test', 'mutation', 'jest.config.mjs'));
    this.#context = await Runtime.createContext(this.#config.projectConfig, { maxWorkers: 1, watchman: false });
    // Stryker that is ended does not end us.
    process.on('disconnect', () => process.exit());
    // A file that failed half-way leaves connections open, whose databases are dropped under them.
    process.on('uncaughtException', () => undefined);
    // Before any test file remembers the globals that it finds.
    globalThis.__stryker__ = this.#mutation;
    if (existsSync(this.#notes)) this.#remember(JSON.parse(readFileSync(this.#notes, 'utf8')));
  }

  async dryRun() {
    const tests = [];
    const measured = { tests: [], files: [] };
    for (const file of this.#files.keys()) {
      const { outcomes, error } = await this.#runFile(file);
      if (error) return { status: 'error', errorMessage: error };
      // What loading and hooks reach has this name: as if it were a test.
      tests.push({ id: file, name: `${nameOf(file)} is loaded`, timeSpentMs: 0, status: SUCCESS }, ...outcomes);
      measured.tests.push(...outcomes.map(({ id, timeSpentMs }) => [id, timeSpentMs]));
      measured.files.push([file, outcomes.reduce((sum, { timeSpentMs }) => sum + timeSpentMs, 0)]);
    }
    this.#remember(measured);
    writeFileSync(this.#notes, JSON.stringify(measured));
    await dropDatabases();
    return { status: 'complete', tests, mutantCoverage: this.#mutation.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit }) {
    const hitCount = hitLimit ? 0 : undefined;
    const wanted = testFilter && new Set(testFilter);
    Object.assign(this.#mutation, { activeMutant: activeMutant.id, failed: false, wanted, hitLimit, hitCount });
    const reached = [...this.#files].filter(
      ([file]) => !testFilter || testFilter.some((id) => id === file || id.startsWith(`${file} `)),
    );
    let nrOfTests = 0;
    try {
      for (const [file] of reached.toSorted(([, a], [, b]) => a - b)) {
        const { outcomes, error } = await this.#runFile(file);
        nrOfTests += outcomes.filter(({ status }) => status !== SKIPPED).length;
        if (this.#mutation.hitCount > hitLimit) return { status: 'timeout', reason: 'it ran round and round' };
        const failed = outcomes.filter(({ status }) => status === FAILED);
        // A file that cannot even be loaded has noticed the mutant too.
        if (error) return { status: 'killed', killedBy: [file], failureMessage: error, nrOfTests };
        if (failed.length > 0) {
          const [{ failureMessage }] = failed;
          if (/Exceeded timeout of/.test(failureMessage)) return { status: 'timeout', reason: 'it waits for ever' };
          return { status: 'killed', killedBy: failed.map(({ id }) => id), failureMessage, nrOfTests };
        }
        // Tests that follow a failed hook were skipped, as all that follow a failure are.
        if (this.#mutation.failed)
          return { status: 'killed', killedBy: [file], failureMessage: 'a hook failed', nrOfTests };
      }
      return { status: 'survived', nrOfTests };
    } finally {
      await dropDatabases();
    }
  }

  #remember({ tests, files }) {
    this.#mutation.durations = new Map(tests);
    this.#files = new Map(files);
  }

  async #runFile(path) {
    const runner = new TestRunner(this.#config.globalConfig, {});
    const outcomes = [];
    let error = null;
    runner.on('test-file-failure', ([, thrown]) => {
      error = `${thrown.message}\n${thrown.stack}`;
    });
    runner.on('test-file-success', ([, { testExecError, testResults }]) => {
      if (testExecError) error = testExecError.message;
      outcomes.push(...testResults.map((result) => outcomeOf(path, result)));
    });
    // Nobody interrupts a run but Stryker, who ends the process.
    const watcher = { isInterrupted: () => false };
    await runner.runTests([{ context: this.#context, path }], watcher, { serial: true });
    return { outcomes, error };
  }
}

function outcomeOf(path, { status, fullName, duration, failureMessages }) {
  const test = { id: `${path} ${fullName}`, name: `${nameOf(path)}: ${fullName}`, fileName: path };
  const timeSpentMs = duration ?? 0;
  if (status === 'failed') return { ...test, timeSpentMs, status: FAILED, failureMessage: failureMessages.join('\n') };
  return { ...test, timeSpentMs, status: status === 'passed' ? SUCCESS : SKIPPED };
}

/** Thousands of runs would fill the disk with what their files have copied. The templates stay. */
async function dropDatabases() {
  const admin = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await admin.connect();
  try {
    const { rows } = await admin.query(`select datname from pg_database where datname ~ '_[0-9a-f]{12}$'`);
    for (const { datname } of rows) await admin.query(`drop database ${pg.escapeIdentifier(datname)} with (force)`);
  } finally {
    await admin.end();
  }
}

function nameOf(path) {
  return relative(process.cwd(), path);
}

/** `test/architecture/faults.test.ts` reads in the text that each is placed once, by its name: no run is changed by them. */
const faultPoints = {
  shouldIgnore({ node }) {
    // A statement that is a call is left out as a whole, else its call.
    const call = node.type === 'ExpressionStatement' ? node.expression : node;
    return call.type === 'CallExpression' && call.callee.name === 'faultPoint' ? 'a fault point' : undefined;
  },
};

export const strykerPlugins = [
  { kind: 'TestRunner', name: 'sojourn', factory: () => new JestRunner() },
  { kind: 'Ignore', name: 'fault-points', value: faultPoints },
];
