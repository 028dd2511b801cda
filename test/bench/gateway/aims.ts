import { type ContenderName, titles } from './contender.js';
import { printAim } from './report.js';
import type { RequestFigure } from './requests.bench.js';
import type { ShapeName } from './shapes.js';

/** Our gateway over HTTP against another one: at least so many times its answers a second. */
interface Aim {
  readonly shape: ShapeName;
  readonly connections: number;
  readonly against: ContenderName;
  readonly least: number;
}

const aims: readonly Aim[] = [
  { shape: 'three', connections: 16, against: 'proxy', least: 0.85 },
  { shape: 'three', connections: 16, against: 'apollo', least: 8 },
  { shape: 'three', connections: 128, against: 'proxy', least: 1 },
  { shape: 'hundred', connections: 16, against: 'apollo', least: 6 },
];

/** More of a core than this used by others, and answers a second say more about them than about us. */
export const QUIET = 0.1;

/** Each aim that these figures can answer, held or not. In every shape: not slower than Hive Gateway. */
export function printAims(shape: ShapeName, figures: readonly RequestFigure[]): void {
  const everywhere = [...new Set(figures.map(({ connections }) => connections))].map(
    (connections): Aim => ({ shape, connections, against: 'hive', least: 1 }),
  );
  for (const aim of [...aims.filter((one) => one.shape === shape), ...everywhere]) {
    const of = (name: ContenderName) =>
      figures.find(({ contender, connections }) => contender === name && connections === aim.connections);
    const [ours, theirs] = [of('ours'), of(aim.against)];
    if (ours && theirs) judge(aim, ours, theirs);
  }
}

/** By answers a second where the machine was quiet, else by processor time: on a full core one is the other's inverse. */
function judge({ connections, least, against }: Aim, ours: RequestFigure, theirs: RequestFigure): void {
  const byAnswers = ours.perSecond / theirs.perSecond;
  const byTime = theirs.processorMs / ours.processorMs;
  const quiet = Math.max(ours.others, theirs.others) < QUIET;
  const [counts, beside] = quiet ? [byAnswers, byTime] : [byTime, byAnswers];
  const words = `${connections} connections, at least ${least} of ${titles[against]}`;
  const figure = quiet
    ? `${counts.toFixed(2)} (by processor time ${beside.toFixed(2)})`
    : `${counts.toFixed(2)} by processor time, since others used the cores (by answers ${beside.toFixed(2)})`;
  printAim(words, figure, counts >= least && ours.failed === 0);
}
