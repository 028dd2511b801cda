import { type DocumentNode, type GraphQLSchema, OperationTypeNode, parse, print } from 'graphql';
import { LRUCache } from 'lru-cache';
import { validateDocument } from './admission.validation.js';
import { type CompiledOperation, compileOperation } from './execute.compile.js';
import { compileStep, type Step, type StepCompilation } from './execute.step.js';
import type { CacheName, PreparationMetrics } from './metrics.preparation.js';
import type { Planner } from './plan.js';
import { liftLiterals } from './prepare.literals.js';
import { writeOutMutation } from './prepare.mutation.js';
import { nameByContent } from './prepare.names.js';
import { singleOperation } from './prepare.operation.js';
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
  /** Introspection, and hints at names like a wrong one. */
  readonly development: boolean;
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
  private readonly planning = new Map<string, Promise<Step | null>>();

  constructor(private readonly options: PreparationOptions) {}

  get entries(): Readonly<Record<CacheName, number>> {
    return { texts: this.known.size, operations: this.compiled.size, plans: this.planned.size };
  }

  /** What is known of a text already. */
  find(text: string, operationName: string | undefined, rights = ''): PreparedOperation | undefined {
    const known = this.known.get(keyOf(text, operationName, rights));
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
    await this.plan(parse(planned, { noLocation: true }));
  }

  /** @throws InvalidOperation, Error when it cannot be planned */
  async prepare(
    text: string,
    document: DocumentNode,
    operationName: string | undefined,
    span?: Span,
  ): Promise<PreparedOperation> {
    const known = this.find(text, operationName);
    if (known) return known;
    const started = performance.now();
    const validating = span?.child('validate');
    const problems = validateDocument(this.options.api, document, this.options);
    validating?.end();
    this.options.metrics.validated(performance.now() - started);
    if (problems.length > 0) throw new InvalidOperation(problems);
    return this.prepareValid(text, document, operationName, { span });
  }

  /**
   * The same for a document that was validated, or is what is left of one: variables may stand in it that nothing uses.
   * @param asking `rights` tell apart what is left of one text for different askers
   * @throws Error when it cannot be planned
   */
  async prepareValid(
    text: string,
    document: DocumentNode,
    operationName: string | undefined,
    { rights = '', span }: { readonly rights?: string; readonly span?: Span } = {},
  ): Promise<PreparedOperation> {
    const known = this.find(text, operationName, rights);
    if (known) return known;
    this.options.metrics.texts.misses.add();
    const preparing = span?.child('prepare');
    try {
      const lifted = liftLiterals(this.options.api, singleOperation(document, operationName).document);
      const prepared = { compiled: await this.compile(lifted.document, preparing), literals: lifted.literals };
      this.known.set(keyOf(text, operationName, rights), { text, operationName, rights, prepared, uses: 1 });
      return prepared;
    } finally {
      preparing?.end();
    }
  }

  private async compile(document: DocumentNode, span: Span | undefined): Promise<CompiledOperation> {
    const text = print(document);
    const known = this.compiled.get(text);
    const { api: schema, metrics } = this.options;
    metrics.operations[known ? 'hits' : 'misses'].add();
    if (known) return known;
    const { operation, fragments } = singleOperation(document, undefined);
    const isMutation = operation.operation === OperationTypeNode.MUTATION;
    const naming = nameByContent(schema, isMutation ? writeOutMutation(operation, fragments) : document);
    const step = await this.plan(naming.document, span);
    const started = performance.now();
    const compiled = compileOperation({ schema, operation, fragments, ...naming }, step);
    metrics.compiled(performance.now() - started);
    this.compiled.set(text, compiled);
    return compiled;
  }

  /** The steps of an operation under our own names. Those who ask for the same at once wait for one planning. */
  private async plan(document: DocumentNode, span?: Span): Promise<Step | null> {
    const text = print(document);
    const known = this.planned.get(text);
    const underWay = this.planning.get(text);
    this.options.metrics.plans[known || underWay ? 'hits' : 'misses'].add();
    if (known) return known.step;
    const planning = underWay ?? this.planNew(document);
    this.planning.set(text, planning);
    const waiting = span?.child('plan');
    try {
      const step = await planning;
      this.planned.set(text, { step });
      return step;
    } finally {
      waiting?.end();
      this.planning.delete(text);
    }
  }

  private async planNew(document: DocumentNode): Promise<Step | null> {
    const { planner, steps, metrics } = this.options;
    const started = performance.now();
    const { node } = await planner.plan(document);
    metrics.planned(performance.now() - started);
    if (node?.kind === 'Subscription') throw new Error('a subscription is no query');
    return node ? compileStep(node, steps) : null;
  }
}

function keyOf(text: string, operationName: string | undefined, rights: string): string {
  const named = operationName ? `${operationName}\n${text}` : text;
  return rights ? `${rights}\n${named}` : named;
}
