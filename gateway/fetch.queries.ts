import { askerOf, fingerprintOf, type Identity } from './context.js';
import { copyOf } from './execute.row.js';
import type { Asking, Question, SubgraphSource } from './fetch.js';
import type { SubgraphAnswer } from './fetch.transport.js';
import type { Flight } from './fetch.watch.js';

const MOST_MUTATING = 10_000;

/** Counts mutations that ended: what was asked before one must not answer a query that comes after it. */
export class MutationCount {
  ended = 0;
  /** What was counted when each asker's last one ended, the latest last. Strangers are one. */
  private readonly byAsker = new Map<string, number>();
  /** Nobody who is not in there had a later one. */
  private forgotten = 0;

  end(identity: Identity): void {
    this.ended += 1;
    const asker = askerOf(identity, '');
    this.byAsker.delete(asker);
    this.byAsker.set(asker, this.ended);
    const [oldest] = this.byAsker;
    if (!oldest || this.byAsker.size <= MOST_MUTATING) return;
    this.byAsker.delete(oldest[0]);
    this.forgotten = oldest[1];
  }

  /** Whoever asks must not see what was asked when fewer than this had ended: it may lack what they did themselves. */
  seenBy(identity: Identity): number {
    return this.byAsker.get(askerOf(identity, '')) ?? this.forgotten;
  }
}

interface UnderWay {
  readonly flight: Flight<SubgraphAnswer>;
  readonly mutationsBefore: number;
  readonly joined: PromiseWithResolvers<SubgraphAnswer>[];
}

/** What a Map lets go it may still refer to until a major garbage collection: it must not be the answer itself. */
interface Entry {
  underWay: UnderWay | null;
}

/**
 * Asks one subgraph for what is no entity. Equal queries with equal rights that are under way at the same time are one,
 * unless a mutation ended in between: who changed something reads what came of it.
 */
export class QueryFetches {
  private readonly underWay = new Map<string, Entry>();

  constructor(
    private readonly source: SubgraphSource,
    private readonly mutations: MutationCount,
    private readonly onCoalesced: () => void = () => undefined,
  ) {}

  /** @throws CallerGone, or what went wrong on the way after all attempts */
  async ask(question: Question, asking: Asking): Promise<SubgraphAnswer> {
    const { operation, variables } = question;
    const { principal } = asking.identity;
    const key = `${fingerprintOf(principal)}\n${JSON.stringify(variables)}\n${operation.text}`;
    const token = await this.source.token(principal);
    const known = this.underWay.get(key)?.underWay;
    if (known && known.mutationsBefore === this.mutations.ended) {
      this.onCoalesced();
      asking.span?.note('joined a fetch under way', { 'subgraph.name': this.source.name });
      return join(known, asking);
    }
    const begun: UnderWay = {
      flight: this.source.launch(question, { requestId: asking.requestId, token, span: asking.span }),
      mutationsBefore: this.mutations.ended,
      joined: [],
    };
    const entry: Entry = { underWay: begun };
    this.underWay.set(key, entry);
    const forget = () => {
      entry.underWay = null;
      if (this.underWay.get(key) === entry) this.underWay.delete(key);
    };
    const answer = join(begun, asking);
    begun.flight.outcome.then(
      (landed) => {
        forget();
        share(begun, landed);
      },
      (thrown) => {
        forget();
        for (const { reject } of begun.joined) reject(thrown);
      },
    );
    return answer;
  }
}

function join({ flight, joined }: UnderWay, { signal }: Asking): Promise<SubgraphAnswer> {
  flight.joinedBy(signal);
  const waiting = Promise.withResolvers<SubgraphAnswer>();
  joined.push(waiting);
  return waiting.promise;
}

/** All at once, before any of them adds to its own. */
function share({ joined }: UnderWay, answer: SubgraphAnswer): void {
  const last = joined.at(-1);
  for (const waiting of joined) waiting.resolve(waiting === last ? answer : copyOf(answer));
}
