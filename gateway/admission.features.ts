import { DEFAULT_SUPPORTED_SUPERGRAPH_FEATURES, FeatureUrl, type Supergraph } from '@apollo/federation-internals';
import { type ArgumentNode, type DirectiveNode, parse, print, valueFromASTUntyped, visit } from 'graphql';

export const AUTHENTICATED = 'https://specs.apollo.dev/authenticated';
export const REQUIRES_SCOPES = 'https://specs.apollo.dev/requiresScopes';
export const POLICY = 'https://specs.apollo.dev/policy';
export const COST = 'https://specs.apollo.dev/cost';
const CONTEXT = 'https://specs.apollo.dev/context';

// Each feature that something here enforces, in the version that it understands.
const ENFORCED = new Set([`${AUTHENTICATED}/v0.1`, `${REQUIRES_SCOPES}/v0.1`, `${COST}/v0.1`, `${CONTEXT}/v0.1`]);

/**
 * The features that a supergraph may mark as needed for security or execution and still load, for `Supergraph.build`:
 * any other is refused, not ignored.
 */
export function supportedFeatures(): Set<string> {
  return new Set([...DEFAULT_SUPPORTED_SUPERGRAPH_FEATURES, ...ENFORCED]);
}

/** A copy for @apollo/gateway, which cannot be told what is enforced here: those features lose their `for:`. */
export function copyForApollo(sdl: string): string {
  const Directive = (node: DirectiveNode): DirectiveNode | undefined => {
    const url = String(argumentsOf(node)['url']);
    if (!ENFORCED.has(String(FeatureUrl.maybeParse(url)))) return undefined;
    return { ...node, arguments: node.arguments?.filter(({ name }) => name.value !== 'for') };
  };
  return print(visit(parse(sdl), { Directive }));
}

/**
 * Under which name a supergraph applies a directive of a feature; null when it does not link the feature. Both can be
 * renamed where they are linked: whoever looks for the usual name finds nothing, and enforces nothing. Read as the
 * planner reads it, so that the two cannot disagree.
 */
export function directiveNameIn({ schema }: Supergraph, feature: string, directive: string): string | null {
  return schema.coreFeatures?.getByIdentity(feature)?.directiveNameInSchema(directive) ?? null;
}

/**
 * Under which names a supergraph applies a directive that has no home of its own: whoever composes it (`@composeDirective`)
 * links it from a URL that they made up.
 */
export function directiveNamesIn({ schema }: Supergraph, directive: string): string[] {
  return (schema.coreFeatures?.allFeatures() ?? [])
    .filter(({ url, imports }) => url.name === directive || imports.some(({ name }) => name === `@${directive}`))
    .map((feature) => feature.directiveNameInSchema(directive));
}

/** What can carry directives: a type, a field, an argument. */
export interface Definition {
  readonly astNode?: { readonly directives?: readonly DirectiveNode[] } | null;
  readonly extensionASTNodes?: readonly { readonly directives?: readonly DirectiveNode[] }[];
}

/** The arguments of each application of a directive. */
export function applicationsOf(definition: Definition, directive: string | null): Readonly<Record<string, unknown>>[] {
  const { astNode, extensionASTNodes = [] } = definition;
  return [astNode, ...extensionASTNodes]
    .flatMap((node) => node?.directives ?? [])
    .filter(({ name }) => name.value === directive)
    .map(argumentsOf);
}

function argumentsOf(node: { readonly arguments?: readonly ArgumentNode[] }): Record<string, unknown> {
  return Object.fromEntries((node.arguments ?? []).map(({ name, value }) => [name.value, valueFromASTUntyped(value)]));
}
