import { type ContenderName, startContender, titles } from './contender.js';
import { checkKept } from './equality.js';
import type { DocumentKind } from './load.source.js';
import { forgetPeak, peakBytes } from './process.figures.js';
import { type Figures, mebibytes, milliseconds, printCells, printTitle, times } from './report.js';
import type { Stage } from './stage.js';

const CONNECTIONS = 16;
/** The known operation is asked by a few who take their time: it should not notice the flood. */
const KNOWN = { connections: 4, pauseMs: 5, source: { shape: 'three' } } as const;
const ALONE_MS = 2_000;
const LONGEST_MS = 120_000;
const KEEP = 20;

const kinds: Readonly<Record<DocumentKind, string>> = {
  operations: 'distinct operations (fields and aliases differ)',
  literals: 'texts of one operation (only a literal differs)',
};

/** A flood of documents that were never seen before, and what it does to an operation that is known. */
export async function benchDocuments(stage: Stage, figures: Figures): Promise<void> {
  const { documents, contenders } = stage.options;
  // The hand-written proxy plans nothing, and where the subgraphs are makes no difference.
  const planning = contenders.filter((name) => name !== 'proxy' && name !== 'in-process');
  for (const kind of Object.keys(kinds) as DocumentKind[]) {
    printTitle(
      `${documents} ${kinds[kind]}, over ${CONNECTIONS} connections; a known operation over ${KNOWN.connections}`,
    );
    printCells('', ['planned', 'refused', 'p50', 'p99', 'known p99', 'in flood', 'peak', 'to Apollo']);
    const measured: DocumentFigure[] = [];
    for (const name of planning) measured.push(await benchContender(stage, name, kind));
    const apollo = measured.find(({ contender }) => contender === 'apollo')?.perSecond;
    for (const figure of measured) {
      figures.add(figure);
      printCells(`  ${titles[figure.contender]}`, [
        `${figure.perSecond.toFixed(0)}/s`,
        String(figure.refused),
        milliseconds(figure.p50),
        milliseconds(figure.p99),
        milliseconds(figure.knownAloneP99),
        milliseconds(figure.knownP99),
        mebibytes(figure.peakBytes),
        times(figure.perSecond, apollo),
      ]);
    }
  }
}

interface DocumentFigure {
  readonly documents: DocumentKind;
  readonly contender: ContenderName;
  readonly perSecond: number;
  /** Not answered with data: a gateway may defend itself. */
  readonly refused: number;
  readonly p50: number;
  readonly p99: number;
  readonly knownAloneP99: number;
  readonly knownP99: number;
  readonly peakBytes: number;
}

async function benchContender(stage: Stage, name: ContenderName, kind: DocumentKind): Promise<DocumentFigure> {
  const contender = await startContender(name, stage);
  try {
    const { url } = contender.hello;
    const most = stage.options.documents;
    await stage.load({ url, connections: CONNECTIONS, milliseconds: stage.options.warmUpMs, source: KNOWN.source });
    const alone = await stage.load({ ...KNOWN, url, milliseconds: ALONE_MS }, 1);
    forgetPeak(contender.pid);
    const known = stage.load({ ...KNOWN, url, milliseconds: LONGEST_MS * 2 }, 1);
    const flood = await stage.load({
      url,
      connections: CONNECTIONS,
      milliseconds: LONGEST_MS,
      source: { documents: kind, most },
      keep: KEEP,
    });
    await stage.stopLoad(1);
    const { p99: knownP99, failed, failures } = await known;
    if (alone.failed + failed > 0) throw new Error(`${name}: the known operation failed: ${failures.join('; ')}`);
    await checkKept(stage, name, flood);
    return {
      documents: kind,
      contender: name,
      perSecond: ((flood.answered - flood.failed) * 1_000) / flood.milliseconds,
      refused: flood.failed,
      p50: flood.p50,
      p99: flood.p99,
      knownAloneP99: alone.p99,
      knownP99,
      peakBytes: peakBytes(contender.pid),
    };
  } finally {
    await contender.stop();
  }
}
