import { writeFileSync } from 'node:fs';

const NAME = 38;
const CELL = 11;

/** One line of a table. */
export function printCells(name: string, cells: readonly string[]): void {
  console.log(`  ${name.padEnd(NAME)}${cells.map((cell) => cell.padStart(CELL)).join('')}`);
}

export function printTitle(text: string): void {
  console.log(`\n${text}`);
}

/** An aim beside its figure. */
export function printAim(words: string, figure: string, held: boolean): void {
  console.log(`  ${held ? 'HELD    ' : 'NOT HELD'}  ${words}: ${figure}`);
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

export function milliseconds(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
}

export function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}

export function times(value: number, baseline: number | undefined): string {
  return baseline === undefined ? '' : `× ${(value / baseline).toFixed(2)}`;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** All figures of a run, for a file that another run can be compared with. */
export class Figures {
  private readonly all: object[] = [];

  add(figure: object): void {
    this.all.push(figure);
  }

  write(file: string, about: object): void {
    writeFileSync(file, `${JSON.stringify({ ...about, figures: this.all }, null, 2)}\n`);
  }
}
