import type { QueryPlan } from '@apollo/query-planner';
import { type DocumentNode, type GraphQLSchema, getOperationAST, OperationTypeNode, parse, print } from 'graphql';
import { LRUCache } from 'lru-cache';
import { validateDocument } from './admission.validation.js';
import { type CompiledOperation, compileOperation } from './execute.compile.js';
import { compileStep, type Step, type StepCompilation } from './execute.step.js';
import type { CachedEntities } from './fetch.cached.js';
import type { PreparationMetrics, PreparationReading } from './metrics.preparation.js';
import { OURSELVES, type Planner } from './plan.js';
import { liftLiterals } from './prepare.literals.js';
import { writeOutMutation } from './prepare.mutation.js';
import { nameByContent } from './prepare.names.js';
import { singleOperation } from './prepare.operation.js';
import type { Turns } from './prepare.turns.js';
import type { Span } from './trace.js';

/** A client's operation, ready to run: compiled, and what its text says beside it. */
export interface PreparedOperation {
  readonly compiled: CompiledOperation;
  readonly literals: Readonly<Record<string, unknown>>;
}

/** Names an operation as clients do. */
export interface OperationText {
  readonly text: string;
  readonly operationName: string | undefined;
}

/** For whom an operation is made ready. */
export interface Asking {
  /** Whose turn it takes; nobody's but our own where it is missing. */
  readonly asker?: string;
  readonly span?: Span;
  /** What `Overrides` drew for this request. */
  readonly head?: string;
}

interface KnownText extends OperationText {
  readonly prepared: PreparedOperation;
  /** What of the text its askers may not have; empty where they may have all. */
  readonly rights: string;
  uses: number;
}

export interface PreparationOptions {
  readonly api: GraphQLSchema;
  readonly planner: Planner;
  readonly steps: StepCompilation;
  /** Of the entities that queries ask for; null where none are kept. */
  readonly cached: CachedEntities | null;
  /** Introspection, and hints at names like a wrong one. */
  readonly development: boolean;
  readonly turns: Turns;
  readonly metrics: PreparationMetrics;
}

/** A text with a mistake: whoever hosts GraphQL over HTTP says it to the client. */
export class InvalidOperation extends Error {
  constructor(readonly problems: readonly Error[]) {
    super('this operation is not valid');
  }
}

// In characters of text. A compiled operation takes some fifty times that.
const COMPILED_TEXT = 1024 * 1024;
// What is known of a text is small: the literals, and which compiled operation it is.
const KNOWN_TEXT = 8 * 1024 * 1024;

/**
 * Makes operations ready to run, each once: validated by their text, planned and compiled by what is left when the
 * literals are lifted out.
 */
export class Preparation {
  private readonly known = new LRUCache<string, KnownText>({
    maxSize: KNOWN_TEXT,
    sizeCalculation: (_known, key) => key.length + 200,
  });
  private readonly compiled = new LRUCache<string, CompiledOperation>({
    maxSize: COMPILED_TEXT,
    sizeCalculation: (_compiled, key) => key.length + 200,
  });
  private readonly planned = new LRUCache<string, { readonly step: Step | null }>({
    maxSize: COMPILED_TEXT,
    sizeCalculation: (_planned, key) => key.length + 200,
  });

  constructor(private readonly options: PreparationOptions) {}

  get reading(): PreparationReading {
    const entries = { texts: this.known.size, operations: this.compiled.size, plans: this.planned.size };
    return { entries, waiting: this.options.planner.waiting };
  }

  /** What is known of a text already. */
  find(text: string, operationName: string | undefined, rights = '', head = ''): PreparedOperation | undefined {
    const known = this.known.get(keyOf(text, operationName, rights, head));
    if (!known) return undefined;
    this.options.metrics.texts.hits.add();
    known.uses += 1;
    return known.prepared;
  }

  /** Whole texts, as anyone may send them; of those that differ in literals only one. */
  mostUsed(most: number): OperationText[] {
    const uses = new Map<CompiledOperation, { known: KnownText; sum: number }>();
    for (const known of this.known.values()) {
      if (known.rights !== '') continue;
      const use = uses.get(known.prepared.compiled);
      if (use) use.sum += known.uses;
      else uses.set(known.prepared.compiled, { known, sum: known.uses });
    }
    const ranked = [...uses.values()].sort((left, right) => right.sum - left.sum);
    return ranked.slice(0, most).map(({ known }) => known);
  }

  /** What was planned of late, the latest first: in the planner's words, whoever asked and whatever they may have. */
  lastPlanned(most: number): string[] {
    return [...this.planned.keys()].slice(0, most);
  }

  /** Plans what another preparation has planned. @throws Error when it cannot be planned */
  async planAhead(planned: string): Promise<void> {
    await this.plan(planned, {});
  }

  /** @throws InvalidOperation, DomainError when it cannot be planned now, Error when it cannot be planned */
  async prepare(
    text: string,
    document: DocumentNode,
    operationName: string | undefined,
    asking: Asking = {},
  ): Promise<PreparedOperation> {
    const known = await this.findInTurn(text, operationName, '', asking);
    if (known) return known;
    const started = performance.now();
    const validating = asking.span?.child('validate');
    const problems = validateDocument(this.options.api, document, this.options);
    validating?.end();
    this.options.metrics.validated(performance.now() - started);
    if (problems.length > 0) throw new InvalidOperation(problems);
    return this.make(text, document, operationName, '', asking);
  }

  /**
   * The same for a document that was validated, or is what is left of one: variables may stand in it that nothing uses.
   * @param asking `rights` tell apart what is left of one text for different askers
   * @throws DomainError when it cannot be planned now, Error when it cannot be planned
   */
  async prepareValid(
    text: string,
    document: DocumentNode,
    operationName: string | undefined,
    { rights = '', ...asking }: Asking & { readonly rights?: string } = {},
  ): Promise<PreparedOperation> {
    const known = await this.findInTurn(text, operationName, rights, asking);
    return known ?? this.make(text, document, operationName, rights, asking);
  }

  /** What is known of a text; where that is nothing, it is this text's turn to be worked on. */
  private async findInTurn(
    text: string,
    operationName: string | undefined,
    rights: string,
    { asker = OURSELVES, head }: Asking,
  ): Promise<PreparedOperation | undefined> {
    const known = this.find(text, operationName, rights, head);
    if (known) return known;
    await this.options.turns.take(asker);
    // Whoever sent it at the same time may have had an earlier turn.
    return this.find(text, operationName, rights, head);
  }

  private async make(
    text: string,
    document: DocumentNode,
    operationName: string | undefined,
    rights: string,
    asking: Asking,
  ): Promise<PreparedOperation> {
    this.options.metrics.texts.misses.add();
    const preparing = asking.span?.child('prepare');
    try {
      const lifted = liftLiterals(this.options.api, singleOperation(document, operationName).document);
      const compiled = await this.compile(lifted.document, { ...asking, span: preparing });
      const prepared = { compiled, literals: lifted.literals };
      this.known.set(keyOf(text, operationName, rights, asking.head), {
        text,
        operationName,
        rights,
        prepared,
        uses: 1,
      });
      return prepared;
    } finally {
      preparing?.end();
    }
  }

  private async compile(document: DocumentNode, asking: Asking): Promise<CompiledOperation> {
    const { head = '' } = asking;
    const text = head + print(document);
    const known = this.compiled.get(text);
    const { api: schema, metrics } = this.options;
    metrics.operations[known ? 'hits' : 'misses'].add();
    if (known) return known;
    const { operation, fragments } = singleOperation(document, undefined);
    const isMutation = operation.operation === OperationTypeNode.MUTATION;
    const naming = nameByContent(schema, isMutation ? writeOutMutation(operation, fragments) : document);
    const step = await this.plan(head + print(naming.document), asking);
    const started = performance.now();
    const compiled = compileOperation({ schema, operation, fragments, ...naming }, step);
    metrics.compiled(performance.now() - started);
    this.compiled.set(text, compiled);
    return compiled;
  }

  /** The steps of an operation under our own names. */
  private async plan(text: string, asking: Asking): Promise<Step | null> {
    const { steps, cached, metrics } = this.options;
    const plan = this.planned.has(text) ? null : await this.planInTurn(text, asking);
    // Of those who waited for the same plan the first makes its steps.
    const known = this.planned.get(text);
    metrics.plans[known ? 'hits' : 'misses'].add();
    if (known) return known.step;
    const node = plan?.node;
    if (node?.kind === 'Subscription') throw new Error('a subscription is no query');
    const step = node ? compileStep(node, isQuery(text) ? { ...steps, cached } : steps) : null;
    this.planned.set(text, { step });
    return step;
  }

  private async planInTurn(text: string, { asker = OURSELVES, span }: Asking): Promise<QueryPlan> {
    const waiting = span?.child('plan');
    try {
      const plan = await this.options.planner.plan(text, asker);
      await this.options.turns.take(asker);
      return plan;
    } finally {
      waiting?.end();
    }
  }
}

function keyOf(text: string, operationName: string | undefined, rights: string, head = ''): string {
  const named = operationName ? `${operationName}\n${text}` : text;
  const allowed = rights ? `${rights}\n${named}` : named;
  // A client's own comment is no head: no text begins as an array does.
  return head ? JSON.stringify([head, allowed]) : allowed;
}

/** Whoever changes something is told how things are now: what a mutation reads is never what was kept. */
function isQuery(text: string): boolean {
  return getOperationAST(parse(text, { noLocation: true }))?.operation === OperationTypeNode.QUERY;
}
