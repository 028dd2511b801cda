import type { Mutant, Outcome } from './stryker.run.js';

export interface Result {
  readonly name: string;
  readonly mutants: readonly Mutant[];
  readonly seconds: number;
}

/** Those that no test noticed, each as what it made of what. */
export function printSurvivors({ name, mutants }: Result): void {
  const survivors = mutants.filter(({ outcome }) => outcome === 'Survived' || outcome === 'NoCoverage');
  console.log(`\n${name}: ${survivors.length} survivors`);
  for (const { file, line, mutator, original, replacement, outcome } of survivors) {
    const note = outcome === 'NoCoverage' ? ', which no test reaches' : '';
    console.log(`  ${file}:${line} ${mutator}${note}\n    - ${onOneLine(original)}\n    + ${onOneLine(replacement)}`);
  }
}

/** A line for each target. @returns whether each has at least so many percent killed */
export function printTotals(results: readonly Result[], leastKilled: number): boolean {
  console.log('\ntarget      mutants  killed  timeout  survived  not reached  ignored  invalid   score  seconds');
  const scores = results.map(({ name, mutants, seconds }) => {
    const count = (...outcomes: Outcome[]) => mutants.filter(({ outcome }) => outcomes.includes(outcome)).length;
    const caught = count('Killed', 'Timeout');
    const missed = count('Survived', 'NoCoverage');
    const score = (100 * caught) / (caught + missed);
    const cells: [string | number, number][] = [
      [mutants.length, 9],
      [count('Killed'), 8],
      [count('Timeout'), 9],
      [count('Survived'), 10],
      [count('NoCoverage'), 13],
      [count('Ignored'), 9],
      [count('RuntimeError', 'CompileError'), 9],
      [`${score.toFixed(1)} %`, 8],
      [Math.round(seconds), 9],
    ];
    console.log(name.padEnd(10) + cells.map(([cell, width]) => String(cell).padStart(width)).join(''));
    return score;
  });
  return scores.every((score) => score >= leastKilled);
}

function onOneLine(code: string): string {
  return code.replace(/\s+/g, ' ').slice(0, 150);
}
