import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { SECOND } from '../clock.js';
import type { Logger } from '../telemetry.js';
import type { Consumption } from './event-bus.js';

const ACK_WAIT_MS = 10 * SECOND;

interface NatsConsumptionOptions {
  readonly stream: string;
  readonly name: string;
  readonly filter: string;
  readonly react: (message: JsMsg) => Promise<void>;
  readonly onStop: (stopped: NatsConsumption) => void;
}

/** A durable consumer: the server remembers how far the name came. */
export class NatsConsumption implements Consumption {
  private messages: ConsumerMessages | null = null;
  private loop: Promise<void> | null = null;
  private stopped = false;

  constructor(
    private readonly client: JetStreamClient,
    private readonly admin: JetStreamManager,
    private readonly logger: Logger,
    private readonly options: NatsConsumptionOptions,
  ) {}

  async start(): Promise<void> {
    const { stream, filter } = this.options;
    const durable = this.options.name.replace(/[^\w-]/g, '-');
    await this.admin.consumers.add(stream, {
      durable_name: durable,
      filter_subject: filter,
      deliver_policy: DeliverPolicy.All,
      ack_policy: AckPolicy.Explicit,
      // So soon another process takes over the event of a killed one.
      ack_wait: nanos(ACK_WAIT_MS),
      // One at a time: with more, an event that failed would come again after later ones of its subject.
      max_ack_pending: 1,
    });
    const consumer = await this.client.consumers.get(stream, durable);
    this.messages = await consumer.consume({ max_messages: 10, idle_heartbeat: 5 * SECOND });
    this.loop = this.run(this.messages);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.options.onStop(this);
    this.messages?.stop();
    await this.loop;
  }

  private async run(messages: ConsumerMessages): Promise<void> {
    for await (const message of messages) {
      // Unanswered: it comes again, to us after a restart or to another process.
      if (this.stopped) return message.nak();
      await this.reactTo(message);
    }
  }

  private async reactTo(message: JsMsg): Promise<void> {
    const busy = setInterval(() => message.working(), ACK_WAIT_MS / 3);
    try {
      await this.options.react(message);
      message.ack();
    } catch (thrown) {
      this.logger.error({ err: thrown, consumer: this.options.name }, 'could not react to an event, trying again');
      message.nak(SECOND);
    } finally {
      clearInterval(busy);
    }
  }
}
