import { messageOf } from '../subgraphs/kernel/error.js';
import type { EventBus } from '../subgraphs/kernel/event/event-bus.js';
import type { Logger } from '../subgraphs/kernel/telemetry.js';
import type { SubgraphSource } from './fetch.js';

export interface Readiness {
  readonly ready: boolean;
  readonly draining: boolean;
  /** `none`: nothing here has events. */
  readonly events: 'up' | 'down' | 'none';
  readonly subgraphs: Readonly<Record<string, 'up' | 'down'>>;
}

const DEADLINE_MS = 2_000;
// Balancers ask often, and each answer asks everyone.
const FRESH_FOR_MS = 500;

/** Whether everything this gateway needs answers. */
export class Health {
  private draining = false;
  private latest: { readonly readiness: Promise<Readiness>; until: number } | null = null;

  constructor(
    private readonly sources: () => readonly SubgraphSource[],
    private readonly bus: EventBus | null,
    private readonly logger: Logger,
  ) {}

  /** From now on balancers should send nothing more. */
  drain(): void {
    this.draining = true;
    this.latest = null;
  }

  readiness(): Promise<Readiness> {
    if (this.latest && this.latest.until > Date.now()) return this.latest.readiness;
    // Not asked again while somebody is slow to answer: questions would pile up where there is trouble already.
    const latest = { readiness: this.look(), until: Number.POSITIVE_INFINITY };
    this.latest = latest;
    return latest.readiness.finally(() => {
      latest.until = Date.now() + FRESH_FOR_MS;
    });
  }

  private async look(): Promise<Readiness> {
    const sources = this.sources();
    const { bus } = this;
    const [events, subgraphs] = await Promise.all([
      bus ? this.state('events', () => bus.ready()) : ('none' as const),
      Promise.all(sources.map((source) => this.state(source.name, () => source.ping(DEADLINE_MS)))),
    ]);
    return {
      ready: !this.draining && events !== 'down' && subgraphs.every((state) => state === 'up'),
      draining: this.draining,
      events,
      subgraphs: Object.fromEntries(sources.map(({ name }, index) => [name, subgraphs[index] ?? 'down'])),
    };
  }

  private async state(name: string, ask: () => Promise<void>): Promise<'up' | 'down'> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), DEADLINE_MS);
    });
    try {
      await Promise.race([ask(), late]);
      return 'up';
    } catch (thrown) {
      this.logger.warn({ part: name, cause: messageOf(thrown) }, 'not ready');
      return 'down';
    } finally {
      clearTimeout(timer);
    }
  }
}
