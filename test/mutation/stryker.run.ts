import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from './targets.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const REPORTS = join(ROOT, 'coverage', 'mutation');
const CACHE = join(ROOT, 'node_modules', '.cache', 'mutation-stryker', 'seen');

export type Outcome = 'Killed' | 'Survived' | 'NoCoverage' | 'Timeout' | 'Ignored' | 'RuntimeError' | 'CompileError';

export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
  readonly outcome: Outcome;
}

/** What Stryker's JSON report says of each mutant. */
interface Report {
  readonly files: Record<
    string,
    {
      readonly source: string;
      readonly mutants: readonly {
        readonly mutatorName: string;
        readonly replacement?: string;
        readonly status: Outcome;
        readonly location: { readonly start: Place; readonly end: Place };
      }[];
    }
  >;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/**
 * Mutates a target, one mutant after the other.
 * @param folder for what goes with the run: Stryker's copy of the tree
 * @param changed only what has changed since the last run, in sources or tests
 * @throws Error when Stryker could not do its work, for instance as a test fails without any mutant
 */
export async function mutate(target: Target, stryker: string, folder: string, changed: boolean): Promise<Mutant[]> {
  mkdirSync(CACHE, { recursive: true });
  const report = join(REPORTS, `${target.name}.json`);
  const settings = join(folder, `${target.name}.json`);
  writeFileSync(
    settings,
    JSON.stringify({
      mutate: target.mutate,
      plugins: [join(ROOT, 'test', 'mutation', 'jest.runner.mjs')],
      testRunner: 'sojourn',
      ignorers: ['fault-points'],
      testRunnerNodeArgs: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
      coverageAnalysis: 'perTest',
      concurrency: 1,
      timeoutMS: target.patienceMs,
      incremental: changed,
      incrementalFile: join(CACHE, `${target.name}.json`),
      reporters: ['json', 'html', 'progress-append-only'],
      jsonReporter: { fileName: report },
      htmlReporter: { fileName: join(REPORTS, `${target.name}.html`) },
      tempDirName: join(folder, 'sandbox'),
      ignorePatterns: ['/dist', '/coverage', '/.data'],
      // Not TypeScript's: types are erased, and an ill-typed mutant is one more that a test should notice.
      disableTypeChecks: false,
      tsconfigFile: 'none.json',
      allowConsoleColors: false,
    }),
  );
  const child = spawn(process.execPath, [stryker, 'run', settings], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      TMPDIR: folder,
      MUTATION_CACHE: join(folder, 'jest'),
      MUTATION_TESTS: JSON.stringify(globSync(target.tests, { cwd: ROOT })),
    },
  });
  const end = () => child.kill('SIGTERM');
  process.on('SIGINT', end).on('SIGTERM', end);
  const [code] = await once(child, 'exit');
  process.off('SIGINT', end).off('SIGTERM', end);
  if (code !== 0) throw new Error(`Stryker ended with ${code} for ${target.name}`);
  return mutantsIn(JSON.parse(readFileSync(report, 'utf8')));
}

function mutantsIn({ files }: Report): Mutant[] {
  return Object.entries(files).flatMap(([file, { source, mutants }]) =>
    mutants.map(({ mutatorName, replacement = '', status, location }) => ({
      file,
      line: location.start.line,
      mutator: mutatorName,
      original: between(source, location),
      replacement,
      outcome: status,
    })),
  );
}

function between(source: string, { start, end }: { start: Place; end: Place }): string {
  const lines = source.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  return lines
    .map((line, index) => line.slice(index === 0 ? start.column - 1 : 0, index === last ? end.column - 1 : undefined))
    .join('\n');
}
