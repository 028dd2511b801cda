// `npm test` and `npm run test:programs`: run jest with the flags it needs, hand arguments through (`npm test --
// test/gateway`), and end with one line that a person and a machine can read: `N passed, N failed`.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const given = process.argv.slice(2);
const args = given.filter((each) => each !== '--programs');
const namesFiles = args.some((each) => !each.startsWith('-'));
const suite = given.length > args.length ? 'programs' : namesFiles ? 'all' : 'laws';
const folder = mkdtempSync(join(tmpdir(), 'sojourn-jest-'));
const report = join(folder, 'report.json');
const POLL_MS = 1_000;
/** How long jest may take to end after its report: workers are ended one by one. */
const GRACE_MS = 30_000;

const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--json',
    `--outputFile=${report}`,
    ...args,
  ],
  // Temporary files of a run that is killed go with this folder.
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, TMPDIR: folder, TEST_SUITE: suite } },
);

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
process.on('disconnect', () => jest.kill('SIGTERM'));
// Listening for the end of our parent must not keep us from ending ourselves.
process.channel?.unref();
const ended = new Promise((resolve) => jest.once('exit', resolve));
endOnceReported();
const code = await ended;

const { passed, failed, skipped } = counts();
endWhatIsLeft();
rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = code ?? (failed > 0 ? 1 : 0);

/**
 * A hook that fails may leave a server or a process open, and jest waits for those for ever where it runs a single file:
 * without workers it has nobody to end instead of itself.
 */
function endOnceReported() {
  let waited = 0;
  const poll = setInterval(() => {
    if (!existsSync(report)) return;
    waited += POLL_MS;
    if (waited < GRACE_MS) return;
    console.error('A test left something open: jest is ended.');
    jest.kill('SIGKILL');
  }, POLL_MS);
  poll.unref();
}

/** Processes that a test started and did not end have this run's folder in their environment or command line. */
function endWhatIsLeft() {
  if (!existsSync('/proc')) return;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (pid > 0 && pid !== process.pid && namesFolder(pid)) kill(pid);
  }
}

function namesFolder(pid) {
  try {
    return ['environ', 'cmdline'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(folder));
  } catch {
    // Gone, or another user's.
    return false;
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went this moment.
  }
}

/** A file that could not even be loaded ran no test: it counts as one that failed. */
function counts() {
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    return {
      passed: result.numPassedTests,
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    // jest ended before it could write: the run as a whole failed.
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
