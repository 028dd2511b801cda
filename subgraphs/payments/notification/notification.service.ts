import type { EntityManager } from '@mikro-orm/postgresql';
import { faultPoint } from '../../kernel/fault.js';
import type { Logger } from '../../kernel/telemetry.js';
import type { SagaWorker } from '../saga/saga.worker.js';
import { type ReceivedNotification, receive } from './notification.repository.js';

/**
 * A notification, once verified, only says where to look: the saga then asks the sender for the state and acts on
 * that. So notifications that are late, doubled, out of order or contradict each other change nothing by themselves.
 */
export class NotificationService {
  constructor(
    private readonly em: EntityManager,
    private readonly payments: SagaWorker,
    private readonly refunds: SagaWorker,
    private readonly logger: Logger,
  ) {}

  async take(notification: ReceivedNotification): Promise<void> {
    const isNew = await receive(this.em.fork(), notification);
    faultPoint('notification.stored');
    const { subjectId } = notification;
    if (!isNew || !subjectId) return;
    if (notification.saysPaid) await this.compare(subjectId);
    if (subjectId.startsWith('pay_')) this.payments.kick(subjectId);
    if (subjectId.startsWith('ref_')) this.refunds.kick(subjectId);
    faultPoint('notification.kicked');
  }

  /** Money that moved for a payment which we ended without it: nothing here can mend that, but somebody must know. */
  private async compare(id: string): Promise<void> {
    const [row] = await this.em.fork().execute<{ status: string }[]>('select status from payment where id = ?', [id]);
    if (row?.status === 'FAILED' || row?.status === 'DECLINED')
      this.logger.error({ id, status: row.status }, 'the network paid for a payment that had ended without it');
  }
}
