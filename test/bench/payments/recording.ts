import { randomInt, randomUUID } from 'node:crypto';
import { type IdKind, newId } from '../../../subgraphs/kernel/id.js';
import type { Sent } from './counting.process.js';

/** One statement, as literals and what stands between them. Literals are quoted strings of its text, then its values. */
export interface Step {
  readonly application: string;
  /** The text, cut at its quoted strings. */
  readonly between: readonly string[];
  readonly literals: readonly Literal[];
  /** As many as `values` of what was recorded; null stays null. */
  readonly values: readonly (Literal | null)[];
}

/** What other payments have here: the same words, a moment as long after theirs, or words of their own between the same others. */
export type Literal =
  | { readonly kind: 'SAME'; readonly text: string }
  | { readonly kind: 'MOMENT'; readonly text: string }
  | { readonly kind: 'OWN'; readonly pieces: readonly { readonly text: string; readonly own: boolean }[] };

/** Statements of one connection that are one transaction; one alone without `begin`. */
export type Unit = readonly Step[];

const STRING = /'((?:[^']|'')*)'/g;
/** Also numbers differ, with the rate of exchange: what they are does not matter to what a statement costs. */
const NUMBER = /(?<![\w$.'])\d+(?![\w.'])/g;
const MOMENT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/;
const WORD = /([\w-]{8,}|(?<=:)\d\d(?!\w))/;

/**
 * What two payments sent alike, as units in the order of their beginnings. Looks around that only happened to come
 * between are in one of the two alone, and drop out.
 * @returns null when one of them went another way: an answer was late, or lost
 */
export function compared(one: readonly Sent[], other: readonly Sent[]): Unit[] | null {
  const pairs = alike(one, other);
  if (!pairs) return null;
  const units = new Map<number, Step[]>();
  const ordered: Step[][] = [];
  for (const [sent, twin] of pairs) {
    const step = stepOf(sent, twin);
    const open = units.get(sent.connection);
    const unit = open ?? [];
    unit.push(step);
    if (!open) ordered.push(unit);
    const text = sent.text.trim().toLowerCase();
    if (text.startsWith('begin') || (open && text !== 'commit')) units.set(sent.connection, unit);
    else units.delete(sent.connection);
  }
  return ordered;
}

/** Each statement of the one with its like of the other, the nth with the nth; null where they did not do the same. */
function alike(one: readonly Sent[], other: readonly Sent[]): [Sent, Sent][] | null {
  const left = Map.groupBy(other, formOf);
  const pairs: [Sent, Sent][] = [];
  const alone: Sent[] = [];
  for (const sent of one) {
    const twin = left.get(formOf(sent))?.shift();
    if (twin) pairs.push([sent, twin]);
    else alone.push(sent);
  }
  alone.push(...[...left.values()].flat());
  return alone.every(isLook) ? pairs : null;
}

/** Whether it only asks for work, as guards and notifications do when their time comes. */
function isLook({ text }: Sent): boolean {
  return text.includes('set lease_until = now()') || /^\s*select\b/i.test(text);
}

function formOf({ application, text }: Sent): string {
  return `${application} ${text.replace(STRING, '?').replace(NUMBER, '?')}`;
}

function stepOf(sent: Sent, twin: Sent): Step {
  const others = [...twin.text.matchAll(STRING)].map(([, text = '']) => text);
  const literals = [...sent.text.matchAll(STRING)].map(([, text = ''], index) => literalOf(text, others[index] ?? ''));
  const between = sent.text.split(/'(?:[^']|'')*'/g);
  const values = sent.values.map((value, index) =>
    value === null ? null : literalOf(value, twin.values[index] ?? value),
  );
  return { application: sent.application, between, literals, values };
}

function literalOf(text: string, other: string): Literal {
  if (text === other) return { kind: 'SAME', text };
  if (MOMENT.test(text)) return { kind: 'MOMENT', text };
  const [mine, theirs] = [text.split(WORD), other.split(WORD)];
  const pieces = mine.map((piece, index) => ({ text: piece, own: index % 2 === 1 && piece !== theirs[index] }));
  return { kind: 'OWN', pieces };
}

const ID = /^([a-z]{3})_([a-z]{2})_[0-9a-z]{26}$/;

/** The words of one more payment: each word of the recorded one has its own, everywhere the same. */
export class Words {
  private readonly own = new Map<string, string>();

  /** @param laterMs how long after the recorded payment this one is */
  constructor(private readonly laterMs: number) {}

  textOf(literal: Literal): string {
    if (literal.kind === 'SAME') return literal.text;
    if (literal.kind === 'MOMENT') return new Date(Date.parse(literal.text) + this.laterMs).toISOString();
    return literal.pieces.map(({ text, own }) => (own ? this.wordFor(text) : text)).join('');
  }

  private wordFor(text: string): string {
    const known = this.own.get(text);
    if (known !== undefined) return known;
    const word = madeLike(text);
    this.own.set(text, word);
    return word;
  }
}

function madeLike(text: string): string {
  const [, kind, region] = ID.exec(text) ?? [];
  if (kind && region) return newId(kind as IdKind, region);
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(text)) return randomUUID();
  // A shard of an account: one of sixteen.
  if (text.length === 2) return String(randomInt(16)).padStart(2, '0');
  return text.replace(/[0-9a-zA-Z]/g, (character) => drawn(character));
}

const ALPHABETS = ['0123456789', 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

function drawn(like: string): string {
  const alphabet = ALPHABETS.find((letters) => letters.includes(like)) ?? like;
  return alphabet[randomInt(alphabet.length)] ?? like;
}
