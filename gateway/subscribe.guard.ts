import { NotFoundError } from '../subgraphs/kernel/error.js';
import type { GatewayContext } from './context.js';
import type { Values } from './fetch.transport.js';
import type { Host } from './host.js';
import { type EventSource, UnfitArgument } from './subscribe.source.js';
import { Refused } from './subscribe.understand.js';

/**
 * Runs a source's guard with the subscriber's own rights: its error is the subscription's. Fails closed.
 * @throws Refused, NotFoundError where the guard finds nothing
 */
export async function askGuard(
  host: Host,
  { guard }: EventSource,
  args: Values,
  context: GatewayContext,
): Promise<void> {
  if (!guard) return;
  const { query, document, operation } = guard;
  const variables = Object.fromEntries(guard.variables.map((name) => [name, args[name]]));
  const request = { query, variables };
  // Thousands come back at once after a restart: without the host's pipeline, where nothing is wrong.
  const answer = await host.answer({ ...request, document, operation }, context);
  const { data, errors } = answer ?? (await host.run(request, context));
  // Their places lie in a document that the client never sent.
  if (errors?.length) throw new Refused({ errors: errors.map(({ message, extensions }) => ({ message, extensions })) });
  if (!data || Object.values(data).some((value) => value === null)) throw new NotFoundError();
}

/**
 * What a client is told of an argument that cannot be part of a subject is first of all its guard's to say, as a query
 * with that argument would be told.
 * @throws Refused, NotFoundError, or what was thrown
 */
export async function refuseByGuard(host: Host, thrown: unknown, context: GatewayContext): Promise<never> {
  if (thrown instanceof UnfitArgument) await askGuard(host, thrown.source, thrown.args, context);
  throw thrown;
}
