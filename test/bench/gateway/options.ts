import { parseArgs } from 'node:util';
import { list, names, whole } from '../option.js';
import { type ContenderName, contenderNames, usualContenders } from './contender.js';
import { type ShapeName, shapeNames } from './shapes.js';

/** The parts that are no shape of requests. */
export const partNames = ['subscribers', 'documents'] as const;
type PartName = (typeof partNames)[number];

export interface BenchOptions {
  readonly contenders: readonly ContenderName[];
  readonly shapes: readonly ShapeName[];
  readonly parts: readonly PartName[];
  readonly connections: readonly number[];
  readonly rounds: number;
  /** Of the contender's own processor time. */
  readonly roundMs: number;
  readonly warmUpMs: number;
  /** How often a round is taken at most, when others use its cores meanwhile. */
  readonly attempts: number;
  readonly subscribers: number;
  readonly eventSeconds: number;
  readonly documents: number;
  readonly signedIn: boolean;
  /** Of all processes that take part, as in nice(1); null leaves it. */
  readonly nice: number | null;
  /** Where to write profiles of the contenders. */
  readonly profile: string | null;
  /** Where to write all figures as JSON. */
  readonly json: string | null;
}

export const USAGE = `npm run bench:gateway -- [options]
  --quick                 about five minutes: shorter and fewer rounds, fewer documents
  --only NAMES            of ${[...shapeNames, ...partNames].join(', ')}; comma-separated
  --contenders NAMES      of ${contenderNames.join(', ')}; comma-separated
  --connections NUMBERS   instead of 1,16,128
  --seconds N --rounds N  how long each round takes, and how many
  --attempts N            how often a round is taken when others use the cores meanwhile; 3
  --subscribers N         instead of 10000
  --documents N           instead of 10000 (with --quick 200)
  --signed-in             every request carries a signed token
  --nice N                priority of everything that takes part; below 0, as root, others on the machine wait
  --profile FOLDER        each contender writes a CPU profile there when it ends
  --json FILE             writes all figures there too`;

/** @throws TypeError for an option that is none, or a name that is unknown */
export function readOptions(args: readonly string[]): BenchOptions | null {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: flag,
      quick: flag,
      only: text,
      contenders: text,
      connections: text,
      seconds: text,
      rounds: text,
      attempts: text,
      subscribers: text,
      documents: text,
      'signed-in': flag,
      nice: text,
      profile: text,
      json: text,
    },
  });
  if (values.help) return null;
  const { quick } = values;
  const chosen = names('--only', values.only, [...shapeNames, ...partNames], [...shapeNames, ...partNames]);
  return {
    contenders: names('--contenders', values.contenders, contenderNames, usualContenders),
    shapes: shapeNames.filter((name) => chosen.includes(name)),
    parts: partNames.filter((name) => chosen.includes(name)),
    connections: list('--connections', values.connections ?? '1,16,128', whole),
    rounds: whole('--rounds', values.rounds ?? (quick ? '2' : '3')),
    roundMs: Number(values.seconds ?? (quick ? 0.3 : 3)) * 1_000,
    warmUpMs: quick ? 3_000 : 6_000,
    attempts: whole('--attempts', values.attempts ?? '3'),
    subscribers: whole('--subscribers', values.subscribers ?? '10000'),
    eventSeconds: quick ? 3 : 10,
    documents: whole('--documents', values.documents ?? (quick ? '200' : '10000')),
    signedIn: values['signed-in'],
    nice: values.nice === undefined ? null : Number(values.nice),
    profile: values.profile ?? null,
    json: values.json ?? null,
  };
}
