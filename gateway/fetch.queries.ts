import { fingerprintOf } from './context.js';
import { copyOf } from './execute.row.js';
import type { Asking, Question, SubgraphSource } from './fetch.js';
import type { SubgraphAnswer } from './fetch.transport.js';
import type { Flight } from './fetch.watch.js';

/** Counts mutations that ended: a query that began before one must not answer a query that comes after it. */
export class MutationCount {
  ended = 0;
}

interface UnderWay {
  readonly flight: Flight<SubgraphAnswer>;
  readonly mutationsBefore: number;
  readonly joined: PromiseWithResolvers<SubgraphAnswer>[];
}

/**
 * Asks one subgraph for what is no entity. Equal queries with equal rights that are under way at the same time are one,
 * unless a mutation ended in between: who changed something reads what came of it.
 */
export class QueryFetches {
  private readonly underWay = new Map<string, UnderWay>();

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
    const known = this.underWay.get(key);
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
    this.underWay.set(key, begun);
    const forget = () => {
      if (this.underWay.get(key) === begun) this.underWay.delete(key);
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
