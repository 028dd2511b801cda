import type { EntityManager } from '@mikro-orm/postgresql';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { isDatabaseError } from '../../kernel/database.retry.js';
import { InvalidError, invariant, NotFoundError } from '../../kernel/error.js';
import type { Network } from '../../kernel/graphql/enums.js';
import { newId, type OperatorId, type PaymentId, type ResolutionId } from '../../kernel/id.js';
import { findReplay, type IdempotentRequest, once } from '../../kernel/idempotency.js';
import { readableText } from '../../kernel/text.js';
import { book } from '../ledger/ledger.repository.js';
import { postNetwork } from '../ledger/ledger.service.js';
import type { Accepted, NetworkClient } from '../network/network.client.js';
import { Payment } from '../payment/payment.entity.js';
import { type Legs, type LockedLegs, lockLegs, readLegs, saveLegs } from '../payment/payment.repository.js';
import type { PaymentEvent } from '../payment/payment-event.entity.js';
import type { SagaWorker } from '../saga/saga.worker.js';
import {
  ResolutionAlreadyDecided,
  ResolutionNotAllowed,
  ResolutionOutdated,
  SecondOperatorRequired,
} from './resolution.errors.js';
import {
  findResolution,
  insertDecision,
  insertProposal,
  type Resolution,
  type ResolutionAction,
  type Verdict,
} from './resolution.repository.js';

const LONGEST_NOTE = 500;

export interface ProposeResolution {
  readonly paymentId: PaymentId;
  readonly action: ResolutionAction;
  readonly note: string;
  readonly idempotencyKey: string;
}

export interface DecideResolution {
  readonly resolutionId: ResolutionId;
  readonly note: string;
  readonly idempotencyKey: string;
}

/**
 * Four eyes on a payment in review: one operator proposes, another one decides. Nothing is moved here: an approval puts
 * the payment where the saga goes on, with its own steps and its own keys.
 */
export class ResolutionService {
  constructor(
    private readonly em: EntityManager,
    private readonly networks: Readonly<Record<Network, NetworkClient>>,
    private readonly saga: SagaWorker,
    private readonly now: Clock,
  ) {}

  /** @throws NotFoundError, ResolutionNotAllowed, InvalidError INVALID_NOTE, IdempotencyKeyReused */
  async propose(by: OperatorId, command: ProposeResolution): Promise<Resolution> {
    const { paymentId, action } = command;
    const note = noteOf(command.note);
    const request = {
      scope: `${by}:proposeResolution`,
      key: command.idempotencyKey,
      content: { paymentId, action, note },
    };
    return transaction(this.em, async (em) => {
      const { result } = await once<{ id: ResolutionId }>(em, request, async () => {
        if ((await em.count(Payment, { id: paymentId })) === 0) throw new NotFoundError();
        const legs = await lockLegs(em, paymentId);
        requireCompletable(legs);
        const id = newId('res', 'us');
        await insertProposal(em, {
          id,
          paymentId,
          action,
          note,
          ...seen(legs),
          proposedBy: by,
          proposedAt: this.now(),
        });
        return { id };
      });
      return getResolution(em, result.id);
    });
  }

  /**
   * Does what was proposed, if the payment is still as it was then, and the network still says that it paid.
   * @throws NotFoundError, SecondOperatorRequired, ResolutionAlreadyDecided, ResolutionOutdated, ResolutionNotAllowed,
   *   InvalidError INVALID_NOTE, IdempotencyKeyReused
   */
  async approve(by: OperatorId, command: DecideResolution): Promise<Resolution> {
    const request = requestOf(by, 'approveResolution', command);
    const em = this.em.fork();
    if (await findReplay(em, request)) return getResolution(em, command.resolutionId);
    const { paymentId, proposedBy } = await getResolution(em, command.resolutionId);
    if (proposedBy === by) throw new SecondOperatorRequired();
    const paid = await this.paidByNetwork(await readLegs(em, paymentId));
    const decided = await this.decide(by, request, command, 'APPROVED', (tx, legs) => this.complete(tx, legs, paid));
    this.saga.kick(paymentId);
    return decided;
  }

  /**
   * @throws NotFoundError, SecondOperatorRequired, ResolutionAlreadyDecided, InvalidError INVALID_NOTE, IdempotencyKeyReused
   */
  async reject(by: OperatorId, command: DecideResolution): Promise<Resolution> {
    return this.decide(by, requestOf(by, 'rejectResolution', command), command, 'REJECTED', null);
  }

  private decide(
    by: OperatorId,
    request: IdempotentRequest,
    command: DecideResolution,
    verdict: Verdict,
    effect: ((em: EntityManager, legs: LockedLegs) => Promise<PaymentEvent>) | null,
  ): Promise<Resolution> {
    const note = noteOf(command.note);
    return transaction(this.em, async (em) => {
      const { result } = await once<{ id: ResolutionId }>(em, request, async () => {
        const { paymentId } = await getResolution(em, command.resolutionId);
        const legs = await lockLegs(em, paymentId);
        // Read again under the payment's lock: of two who decide at once, one finds it decided.
        const resolution = await getResolution(em, command.resolutionId);
        if (resolution.proposedBy === by) throw new SecondOperatorRequired();
        if (resolution.verdict !== null) throw new ResolutionAlreadyDecided();
        if (effect && !isAsSeen(resolution, legs)) throw new ResolutionOutdated();
        const eventId = effect ? (await effect(em, legs)).id : null;
        await insertDecision(em, resolution, { verdict, note, decidedBy: by, decidedAt: this.now(), eventId });
        return { id: resolution.id };
      });
      return getResolution(em, result.id);
    });
  }

  /** Asked outside any transaction. @returns null where we know already that the merchant was paid */
  private async paidByNetwork({ payment, acceptance }: Legs): Promise<Accepted | null> {
    if (acceptance.status !== 'SUBMITTED') return null;
    const answer = await this.networks[payment.network].inquire(acceptance.requestId);
    const isOurs =
      answer.outcome === 'YES' &&
      answer.amount.equals(payment.buy) &&
      answer.networkMerchantId === payment.networkMerchantId;
    if (!isOurs) throw new ResolutionNotAllowed('EVIDENCE_DISAGREES');
    return answer;
  }

  /** PAID again, or at last: the saga captures next, under the wallet's own key. */
  private async complete(em: EntityManager, legs: LockedLegs, paid: Accepted | null): Promise<PaymentEvent> {
    requireCompletable(legs);
    const { payment, acceptance } = legs;
    const { unclearSince } = payment;
    const now = this.now();
    const isNew = acceptance.status === 'SUBMITTED';
    invariant(!isNew || paid, 'accepted only by the word of the network (M5)');
    if (isNew && paid) acceptance.accepted(paid.networkPaymentId, paid.transactionId, now);
    payment.paid(payment.paidAt ?? now);
    const event = payment.record('PAID', now);
    // What was asked of the wallet before the review may be under way as much as it was.
    if (!isNew) payment.unclearSince = unclearSince;
    try {
      await saveLegs(em, legs, event);
    } catch (thrown) {
      // The transaction that the network names is another payment's.
      if (isDatabaseError(thrown, '23505')) throw new ResolutionNotAllowed('EVIDENCE_DISAGREES');
      throw thrown;
    }
    if (isNew) await book(em, postNetwork(payment, now));
    return event;
  }
}

/** @throws ResolutionNotAllowed unless the wallet holds the money and the merchant was, or may have been, paid */
function requireCompletable({ payment, authorization, acceptance }: Legs): void {
  if (payment.status !== 'IN_REVIEW') throw new ResolutionNotAllowed('NOT_IN_REVIEW');
  const mayBePaid = acceptance.status === 'SUBMITTED' || acceptance.status === 'ACCEPTED';
  if (authorization.status !== 'HELD' || !mayBePaid) throw new ResolutionNotAllowed('LEGS_DO_NOT_ALLOW');
}

function seen({ payment, authorization, acceptance }: Legs) {
  const { eventCount } = payment;
  return { eventCount, authorizationStatus: authorization.status, acceptanceStatus: acceptance.status };
}

function isAsSeen(resolution: Resolution, legs: Legs): boolean {
  const now = seen(legs);
  return (
    legs.payment.status === 'IN_REVIEW' &&
    now.eventCount === resolution.eventCount &&
    now.authorizationStatus === resolution.authorizationStatus &&
    now.acceptanceStatus === resolution.acceptanceStatus
  );
}

async function getResolution(em: EntityManager, id: ResolutionId): Promise<Resolution> {
  const found = await findResolution(em, id);
  if (!found) throw new NotFoundError();
  return found;
}

function requestOf(by: OperatorId, what: string, command: DecideResolution): IdempotentRequest {
  const { resolutionId, note, idempotencyKey } = command;
  return { scope: `${by}:${what}`, key: idempotencyKey, content: { resolutionId, note: noteOf(note) } };
}

/** @throws InvalidError INVALID_NOTE */
function noteOf(text: string): string {
  const note = readableText(text, LONGEST_NOTE);
  if (!note) throw new InvalidError('INVALID_NOTE', `A note has 1 to ${LONGEST_NOTE} printable characters.`);
  return note;
}
