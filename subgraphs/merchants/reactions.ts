import { z } from 'zod';
import type { BusEvent, Consumption, EventBus } from '../kernel/event/event-bus.js';
import { type IdKind, parseId } from '../kernel/id.js';
import { ForbiddenTransition } from '../kernel/states.js';
import type { Logger } from '../kernel/telemetry.js';
import type { CodeService } from './code/code.service.js';

/** What payments says of each step of a payment; `codeId` only when the payment used a code of ours. */
const paymentEvent = z.object({ type: z.string(), paymentId: idOf('pay'), codeId: idOf('cod').nullish() });

/** Marks a code as paid when a payment paid it. At least once, in any order: marking it again changes nothing. */
export function reactToPayments(bus: EventBus, codes: CodeService, logger: Logger): Promise<Consumption> {
  return bus.consume('merchants', 'payment', (event) => react(event, codes, logger));
}

async function react(event: BusEvent, codes: CodeService, logger: Logger): Promise<void> {
  const payment = paymentEvent.safeParse(event.payload);
  // An event that nobody can read would come again for ever and hold up all that follow.
  if (!payment.success) return logger.error({ eventId: event.id }, 'an event about a payment has another shape');
  const { type, paymentId, codeId } = payment.data;
  if (type !== 'PAID' || !codeId) return;
  try {
    await codes.markPaid(codeId, paymentId);
  } catch (thrown) {
    if (!(thrown instanceof ForbiddenTransition)) throw thrown;
    // Both payments are kept by payments; this is for the people who have to give one back.
    logger.error({ codeId, paymentId }, 'an order was paid by two payments');
  }
}

function idOf<Kind extends IdKind>(kind: Kind) {
  return z.string().transform((text, context) => {
    try {
      return parseId(kind, text);
    } catch {
      context.addIssue({ code: 'custom', message: `is not an id of kind ${kind}` });
      return z.NEVER;
    }
  });
}
