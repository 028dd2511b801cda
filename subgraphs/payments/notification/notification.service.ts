import type { EntityManager } from '@mikro-orm/postgresql';
import { Batches } from '../../kernel/batches.js';
import { faultPoint } from '../../kernel/fault.js';
import { isFinal } from '../../kernel/states.js';
import type { Logger } from '../../kernel/telemetry.js';
import { type PaymentStatus, paymentTransitions } from '../payment/payment.states.js';
import type { SagaWorker } from '../saga/saga.worker.js';
import { type Receipt, type ReceivedNotification, receive } from './notification.repository.js';

const MOST_AT_ONCE = 100;

/**
 * A notification, once verified, only says where to look: the saga then asks the sender for the state and acts on
 * that. So notifications that are late, doubled, out of order or contradict each other change nothing by themselves.
 */
export class NotificationService {
  /** Both sides tell of every payment, more than once: those that come while others are written are written together. */
  private readonly batches: Batches<ReceivedNotification, Receipt>;

  constructor(
    em: EntityManager,
    private readonly payments: Pick<SagaWorker, 'kick'>,
    private readonly refunds: Pick<SagaWorker, 'kick'>,
    private readonly logger: Logger,
  ) {
    this.batches = new Batches((notifications) => receive(em.fork(), notifications), MOST_AT_ONCE);
  }

  async take(notification: ReceivedNotification): Promise<void> {
    const { isNew, paymentStatus } = await this.batches.add(notification);
    faultPoint('notification.stored');
    const { subjectId, saysPaid } = notification;
    if (!isNew || !subjectId) return;
    if (saysPaid) this.compare(subjectId, paymentStatus);
    const isOver = paymentStatus !== null && isFinal(paymentTransitions, paymentStatus);
    if (subjectId.startsWith('pay_') && !isOver) this.payments.kick(subjectId);
    if (subjectId.startsWith('ref_')) this.refunds.kick(subjectId);
    faultPoint('notification.kicked');
  }

  /** Money that moved for a payment which we ended without it: nothing here can mend that, but somebody must know. */
  private compare(id: string, status: PaymentStatus | null): void {
    if (status === 'FAILED' || status === 'DECLINED')
      this.logger.error({ id, status }, 'the network paid for a payment that had ended without it');
  }
}
