import { printAims, QUIET } from './aims.js';
import { type Contender, type ContenderName, startContender, titles } from './contender.js';
import { checkAnswers, checkKept } from './equality.js';
import type { LoadResult } from './load.js';
import { forgetPeak, peakBytes } from './process.figures.js';
import { type Figures, mebibytes, median, milliseconds, percent, printCells, printTitle, times } from './report.js';
import { type ShapeName, shapes } from './shapes.js';
import type { Stage } from './stage.js';

/** What one contender did with one shape over so many connections. */
export interface RequestFigure {
  readonly shape: ShapeName;
  readonly connections: number;
  readonly contender: ContenderName;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly processorMs: number;
  readonly peakBytes: number;
  /** How much of its core the contender used, and how much of theirs load and subgraphs: who is the limit. */
  readonly busy: number;
  readonly loadBusy: number;
  /** How much of the contender's core somebody else used, or of that of the load: then answers a second mean little. */
  readonly others: number;
  /** Answers that were none: they are not counted, and no aim is held with them. */
  readonly failed: number;
  readonly failures: readonly string[];
}

interface Runner {
  readonly name: ContenderName;
  readonly contender: Contender;
  readonly lengths: Readonly<Record<string, number>>;
}

const WARM_UP_CONNECTIONS = 16;
const KEEP = 20;
/** A round ends by the contender's own time; on a busy machine, or when it mostly waits, that may be a while. */
const LONGEST = 10;

export async function benchRequests(stage: Stage, figures: Figures): Promise<void> {
  for (const shape of stage.options.shapes) await benchShape(stage, shape, figures);
}

/** All contenders are up at once and take turns, so that whatever else the machine does meets all of them. */
async function benchShape(stage: Stage, shape: ShapeName, figures: Figures): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const runners: Runner[] = [];
  for (const name of stage.options.contenders) {
    const contender = await startContender(name, stage);
    stack.defer(() => contender.stop());
    runners.push({ name, contender, lengths: await checkAnswers(stage, name, contender.hello.url, shape) });
  }
  for (const runner of runners) await load(stage, runner, shape, WARM_UP_CONNECTIONS, stage.options.warmUpMs);
  printTitle(shapes[shape].title);
  const all: RequestFigure[] = [];
  for (const connections of stage.options.connections) {
    const measured = await benchConnections(stage, runners, shape, connections);
    printTable(connections, measured);
    all.push(...measured);
  }
  for (const figure of all) figures.add(figure);
  printAims(shape, all);
}

async function benchConnections(
  stage: Stage,
  runners: readonly Runner[],
  shape: ShapeName,
  connections: number,
): Promise<RequestFigure[]> {
  const results = new Map<Runner, LoadResult[]>(runners.map((runner) => [runner, []]));
  for (const { contender } of runners) forgetPeak(contender.pid);
  for (let round = 0; round < stage.options.rounds; round += 1)
    // Forwards, then backwards: nobody is always after the same one.
    for (const runner of round % 2 === 0 ? runners : runners.toReversed())
      results
        .get(runner)
        ?.push(
          await quietest(stage.options.attempts, () => load(stage, runner, shape, connections, stage.options.roundMs)),
        );
  return runners.map((runner) => {
    const rounds = results.get(runner) ?? [];
    const sum = (part: (round: LoadResult) => number) => rounds.reduce((total, round) => total + part(round), 0);
    const lasted = sum((round) => round.milliseconds);
    const used = (who: string) => sum(({ processorMs }) => processorMs[who] ?? Number.NaN);
    return {
      shape,
      connections,
      contender: runner.name,
      perSecond: median(rounds.map((round) => ((round.answered - round.failed) * 1_000) / round.milliseconds)),
      p50: median(rounds.map(({ p50 }) => p50)),
      p99: median(rounds.map(({ p99 }) => p99)),
      processorMs: used('contender') / sum(({ answered }) => answered),
      peakBytes: peakBytes(runner.contender.pid),
      busy: used('contender') / lasted,
      loadBusy: (used('load') + used('subgraphs')) / lasted,
      others: Math.max(...rounds.map(othersIn)),
      failed: sum(({ failed }) => failed),
      failures: rounds.flatMap(({ failures }) => failures),
    };
  });
}

/** A round in which others took their share of a core is taken again, a few times: on a shared machine they come and go. */
async function quietest(attempts: number, round: () => Promise<LoadResult>): Promise<LoadResult> {
  let best = await round();
  for (let attempt = 1; attempt < attempts && othersIn(best) > QUIET; attempt += 1) {
    const again = await round();
    if (othersIn(again) < othersIn(best)) best = again;
  }
  return best;
}

/** Which part of the contender's core, or of the load's, others had meanwhile; the larger one. */
function othersIn({ milliseconds: lasted, processorMs, coreMs }: LoadResult): number {
  const used = (who: string) => processorMs[who] ?? 0;
  const [core = 0, loadCore = 0] = coreMs;
  return Math.max(0, core - used('contender'), loadCore - used('load') - used('subgraphs')) / lasted;
}

/** @throws when an answer was a wrong one */
async function load(
  stage: Stage,
  { name, contender, lengths }: Runner,
  shape: ShapeName,
  connections: number,
  processorMs: number,
): Promise<LoadResult> {
  const result = await stage.load({
    url: contender.hello.url,
    connections,
    milliseconds: processorMs * LONGEST,
    processorMs,
    source: { shape },
    lengths,
    keep: KEEP,
    watched: { contender: contender.pid },
  });
  await checkKept(stage, name, result);
  return result;
}

function printTable(connections: number, measured: readonly RequestFigure[]): void {
  const of = (name: ContenderName) => measured.find(({ contender }) => contender === name);
  const [proxy, apollo] = [of('proxy'), of('apollo')];
  printCells(`${connections} connection${connections === 1 ? '' : 's'}`, HEADINGS);
  for (const figure of measured)
    printCells(`  ${titles[figure.contender]}`, [
      `${figure.perSecond.toFixed(0)}/s`,
      milliseconds(figure.p50),
      milliseconds(figure.p99),
      milliseconds(figure.processorMs),
      mebibytes(figure.peakBytes),
      percent(figure.busy),
      percent(figure.loadBusy),
      percent(figure.others),
      times(figure.perSecond, proxy?.perSecond),
      times(figure.perSecond, apollo?.perSecond),
      // The other way around: half the time is twice the answers.
      proxy ? times(proxy.processorMs, figure.processorMs) : '',
      apollo ? times(apollo.processorMs, figure.processorMs) : '',
    ]);
  for (const { contender, failed, failures } of measured)
    if (failed > 0) console.log(`  ! ${titles[contender]}: ${failed} answers were none: ${failures[0]?.slice(0, 200)}`);
}

const HEADINGS = [
  ...['answers', 'p50', 'p99', 'CPU each', 'peak', 'core', 'load core', 'others'],
  ...['to proxy', 'to Apollo', 'by CPU', 'by CPU'],
];
