// `npm test`: runs jest with the flags it needs, hands arguments through (`npm test -- test/gateway`), and ends with one
// line that a person and a machine can read: `N passed, N failed`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), 'sojourn-jest-'));
const report = join(folder, 'report.json');

const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--json',
    `--outputFile=${report}`,
    ...process.argv.slice(2),
  ],
  // Temporary files of a run that is killed go with this folder.
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, TMPDIR: folder } },
);

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => jest.kill(signal));
process.on('disconnect', () => jest.kill('SIGTERM'));
// Listening for the end of our parent must not keep us from ending ourselves.
process.channel?.unref();
const code = await new Promise((resolve) => jest.once('exit', (exit) => resolve(exit ?? 1)));

const { passed, failed, skipped } = counts();
rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = code;

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
