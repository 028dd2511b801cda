import { expect } from '@jest/globals';
import type { GraphQLFormattedError } from 'graphql';
import type { Answer, Law } from './monolith.js';

/**
 * An engine's answer is right when
 *  1. its data is the law's, value by value and key by key in the same order;
 *  2. each of its errors is one that the law knows, at its place, and no place has two;
 *  3. each null that an error made is explained by an error at or below it.
 */
export function expectAgreement(found: Answer, law: Law, asked: string): void {
  const problems = disagreements(found, law);
  if (problems.length > 0) throw new Error(`${problems.join('\n')}\n\nasked: ${asked}`);
  expect(problems).toEqual([]);
}

export function disagreements(found: Answer, { answer, possible }: Law): string[] {
  const [ours, lawful] = [JSON.stringify(found.data), JSON.stringify(answer.data)];
  const data = ours === lawful ? [] : [`data is\n  ${ours}\nnot\n  ${lawful}`];
  const empty = found.errors?.length === 0 ? ['an empty list of errors'] : [];
  return [...data, ...empty, ...strangers(found, possible), ...twins(found), ...unexplained(found, answer)];
}

/** An error as it is compared: what it says beyond this (correlation ids, places in a text) is each engine's own. */
export function brief({ path, message, extensions }: GraphQLFormattedError): string {
  return `${JSON.stringify(path ?? null)} ${String(extensions?.['code'])}: ${message}`;
}

function strangers(found: Answer, possible: readonly GraphQLFormattedError[]): string[] {
  const known = new Set(possible.map(brief));
  return (found.errors ?? [])
    .map(brief)
    .filter((error) => !known.has(error))
    .map((error) => `an error that is none: ${error}\n  known: ${[...known].join('\n         ') || 'none'}`);
}

function twins(found: Answer): string[] {
  // What refuses a whole request has no place.
  const places = (found.errors ?? []).filter(({ path }) => path).map(({ path }) => JSON.stringify(path));
  return places.filter((place, index) => places.indexOf(place) !== index).map((place) => `two errors at ${place}`);
}

function unexplained(found: Answer, answer: Answer): string[] {
  const ours = (found.errors ?? []).map(({ path }) => path ?? []);
  return (answer.errors ?? [])
    .filter(({ path }) => {
      const nulled = nulledPlace(answer.data, path ?? []);
      return !ours.some((place) => nulled.every((key, index) => place[index] === key));
    })
    .map((error) => `an error is missing: ${brief(error)}`);
}

/** How far one comes along a path before there is nothing. */
function nulledPlace(data: unknown, path: readonly (string | number)[]): readonly (string | number)[] {
  let at = data;
  for (const [depth, key] of path.entries()) {
    if (at === null || at === undefined) return path.slice(0, depth);
    at = (at as Record<string | number, unknown>)[key];
  }
  return path;
}
