import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  print,
  specifiedRules,
  type ValidationRule,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { type CompiledOperation, compileOperation } from './execute.compile.js';
import type { StepCompilation } from './execute.step.js';
import type { Planner } from './plan.js';
import { liftLiterals } from './prepare.literals.js';
import { type SingleOperation, singleOperation } from './prepare.operation.js';

/** A client's operation, ready to run: compiled, and what its text says beside it. */
export interface PreparedOperation {
  readonly compiled: CompiledOperation;
  readonly literals: Readonly<Record<string, unknown>>;
}

export interface PreparationOptions {
  readonly api: GraphQLSchema;
  readonly planner: Planner;
  readonly steps: StepCompilation;
  readonly introspection: boolean;
}

/** A text with a mistake: whoever hosts GraphQL over HTTP says it to the client. */
export class InvalidOperation extends Error {
  constructor(readonly problems: readonly GraphQLError[]) {
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
  private readonly known = new LRUCache<string, PreparedOperation>({
    maxSize: KNOWN_TEXT,
    sizeCalculation: (_prepared, key) => key.length + 200,
  });
  private readonly compiled = new LRUCache<string, CompiledOperation>({
    maxSize: COMPILED_TEXT,
    sizeCalculation: (_compiled, key) => key.length + 200,
  });
  private readonly compiling = new Map<string, Promise<CompiledOperation>>();
  private readonly rules: readonly ValidationRule[];

  constructor(private readonly options: PreparationOptions) {
    this.rules = options.introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  }

  /** What is known of a text already. */
  find(text: string, operationName: string | undefined): PreparedOperation | undefined {
    return this.known.get(keyOf(text, operationName));
  }

  /** @throws InvalidOperation, Error when it cannot be planned */
  async prepare(text: string, document: DocumentNode, operationName: string | undefined): Promise<PreparedOperation> {
    const known = this.find(text, operationName);
    if (known) return known;
    const problems = validate(this.options.api, document, this.rules);
    if (problems.length > 0) throw new InvalidOperation(problems);
    const lifted = liftLiterals(this.options.api, singleOperation(document, operationName).document);
    const prepared = { compiled: await this.compile(lifted.document), literals: lifted.literals };
    this.known.set(keyOf(text, operationName), prepared);
    return prepared;
  }

  private async compile(document: DocumentNode): Promise<CompiledOperation> {
    const text = print(document);
    const known = this.compiled.get(text) ?? this.compiling.get(text);
    if (known) return known;
    const compiling = this.compileNew(singleOperation(document, undefined));
    this.compiling.set(text, compiling);
    try {
      const compiled = await compiling;
      this.compiled.set(text, compiled);
      return compiled;
    } finally {
      this.compiling.delete(text);
    }
  }

  private async compileNew({ document, operation, fragments }: SingleOperation): Promise<CompiledOperation> {
    const { api, planner, steps } = this.options;
    const { node } = await planner.plan(document, operation.name?.value);
    if (node?.kind === 'Subscription') throw new Error('a subscription is no query');
    return compileOperation(api, operation, fragments, node, steps);
  }
}

function keyOf(text: string, operationName: string | undefined): string {
  return operationName ? `${operationName}\n${text}` : text;
}
