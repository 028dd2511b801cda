import {
  type DirectiveNode,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { InvalidError } from '../subgraphs/kernel/error.js';

/** How much one operation may ask for. Checked before validation, whose own cost grows faster than the text. */
export interface DocumentLimits {
  readonly tokens: number;
  readonly depth: number;
  readonly aliases: number;
  /** Fields after all fragments are spread out: a few fragments can stand for millions. */
  readonly fields: number;
  /** Fields of the root type: each of them is a request of its own to some subgraph. */
  readonly rootFields: number;
  /** After all fragments are spread out too. */
  readonly directives: number;
  readonly directivesPerField: number;
}

export const defaultLimits: DocumentLimits = {
  tokens: 4_000,
  depth: 25,
  aliases: 100,
  fields: 2_000,
  rootFields: 50,
  directives: 200,
  directivesPerField: 10,
};

// The order in which they are looked at: an operation that breaks several is told the first.
const WEIGHED = ['depth', 'aliases', 'fields', 'rootFields', 'directivesPerField', 'directives'] as const;

/** What it breaks, or null. */
export function brokenLimit(document: DocumentNode, limits: DocumentLimits): InvalidError | null {
  const weight = weigh(document);
  const broken = WEIGHED.find((what) => weight[what] > limits[what]);
  return broken ? tooComplex(broken, limits[broken]) : null;
}

/** @param found more facts to switch on, such as how much it would have been */
export function tooComplex(what: string, most: number, found: Readonly<Record<string, number>> = {}): InvalidError {
  return new InvalidError(
    'OPERATION_TOO_COMPLEX',
    `This operation is too large: at most ${most} ${NAMES[what] ?? what}.`,
    {
      what,
      most,
      ...found,
    },
  );
}

const NAMES: Readonly<Record<string, string>> = {
  rootFields: 'root fields',
  directivesPerField: 'directives on one field',
};

/** How heavy a document is in each respect. */
export type Weight = Readonly<Record<(typeof WEIGHED)[number], number>>;

const NOTHING: Weight = { depth: 0, aliases: 0, fields: 0, rootFields: 0, directives: 0, directivesPerField: 0 };

/** The heaviest operation of a document. Each fragment is weighed once, however often it is spread. */
export function weigh(document: DocumentNode): Weight {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  const weighed = new Map<string, Weight>();

  const ofFragment = (name: string): Weight => {
    const known = weighed.get(name);
    if (known) return known;
    const fragment = fragments.get(name);
    // An unknown fragment and one inside itself weigh nothing: validation refuses both.
    weighed.set(name, NOTHING);
    if (!fragment) return NOTHING;
    const weight = plus(ofDirectives(fragment.directives), ofSelections(fragment.selectionSet));
    weighed.set(name, weight);
    return weight;
  };

  // `rootFields` of a set are the fields that stand in it, fragments spread out.
  const ofSelections = (set: SelectionSetNode): Weight =>
    set.selections.reduce(
      (sum, selection) => plus(sum, plus(ofDirectives(selection.directives), of(selection))),
      NOTHING,
    );

  const of = (selection: SelectionNode): Weight => {
    if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(selection.name.value);
    const inner = selection.selectionSet ? ofSelections(selection.selectionSet) : NOTHING;
    if (selection.kind === Kind.INLINE_FRAGMENT) return inner;
    return {
      ...inner,
      depth: inner.depth + 1,
      aliases: inner.aliases + (selection.alias ? 1 : 0),
      fields: inner.fields + 1,
      rootFields: 1,
    };
  };

  return document.definitions.reduce((heaviest, definition) => {
    if (definition.kind !== Kind.OPERATION_DEFINITION) return heaviest;
    const own = [definition, ...(definition.variableDefinitions ?? [])].map((node) => ofDirectives(node.directives));
    return most(heaviest, own.reduce(plus, ofSelections(definition.selectionSet)));
  }, NOTHING);
}

function ofDirectives(directives: readonly DirectiveNode[] | undefined): Weight {
  const count = directives?.length ?? 0;
  return count === 0 ? NOTHING : { ...NOTHING, directives: count, directivesPerField: count };
}

function plus(left: Weight, right: Weight): Weight {
  return {
    depth: Math.max(left.depth, right.depth),
    aliases: left.aliases + right.aliases,
    fields: left.fields + right.fields,
    rootFields: left.rootFields + right.rootFields,
    directives: left.directives + right.directives,
    directivesPerField: Math.max(left.directivesPerField, right.directivesPerField),
  };
}

function most(left: Weight, right: Weight): Weight {
  const heavier = WEIGHED.map((what) => [what, Math.max(left[what], right[what])] as const);
  return { ...NOTHING, ...Object.fromEntries(heavier) };
}
