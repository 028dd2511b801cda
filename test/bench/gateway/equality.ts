import { isDeepStrictEqual } from 'node:util';
import type { LoadResult } from './load.js';
import { operations } from './operations.js';
import { bodyOf, type ShapeName, shapes } from './shapes.js';
import type { Stage } from './stage.js';

// A faster wrong answer would be no figure. Every answer of a load has its length checked; these two compare contents.

const SAMPLES = 20;
// From the far end of the canned users: the loads begin at the other one.
const FIRST_SAMPLE = 47_000_000;

/**
 * Asks a contender some requests of a shape and compares each answer with the unsplit graph's.
 * @returns how long its answers are, by operation
 * @throws when one differs, or when two answers to one operation are not equally long
 */
export async function checkAnswers(stage: Stage, name: string, url: string, shape: ShapeName) {
  const { ask, period } = shapes[shape];
  const lengths: Record<string, number> = {};
  for (let index = 0; index < SAMPLES * period; index += 1) {
    const asked = ask(FIRST_SAMPLE + index * 100, index);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...stage.headers },
      body: bodyOf(asked),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${name}: ${response.status} ${text.slice(0, 500)}`);
    await compare(stage, name, operations[asked.operationName], asked.variables, text);
    const { operationName } = asked;
    const length = Buffer.byteLength(text);
    if ((lengths[operationName] ?? length) !== length) throw new Error(`${name}: ${operationName} differs in length`);
    lengths[operationName] = length;
  }
  return lengths;
}

/** Compares what a load kept of the answers. @throws when one differs */
export async function checkKept(stage: Stage, name: string, { kept }: LoadResult): Promise<void> {
  for (const { asked, text } of kept) {
    if ('query' in asked) await compare(stage, name, asked.query, {}, text);
    else await compare(stage, name, operations[asked.operationName], asked.variables, text);
  }
}

async function compare(
  stage: Stage,
  name: string,
  query: string,
  variables: Readonly<Record<string, unknown>>,
  text: string,
): Promise<void> {
  const right = JSON.parse(JSON.stringify(await stage.monolith.answer(query, variables)));
  const { data, errors } = JSON.parse(text);
  if (errors === undefined && isDeepStrictEqual(data, right.data)) return;
  throw new Error(`${name} answers ${text.slice(0, 400)}\ninstead of ${JSON.stringify(right).slice(0, 400)}`);
}
