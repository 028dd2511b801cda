import { messageOf } from '../subgraphs/kernel/error.js';
import { Generation, type GenerationOptions } from './generation.js';
import { warmUp } from './generation.warm-up.js';

export type ReloadOutcome = 'ok' | 'unchanged' | 'refused';

/**
 * Called with the next generation, ready to answer, just before it does. The one before stays at least until what it
 * returns is settled.
 */
export type SwitchListener = (next: Generation) => Promise<void> | void;

/** The generations of one gateway: the one that answers, and how the next one takes its place. */
export class Generations {
  private last: Promise<unknown> = Promise.resolve();
  private readonly retired = new Set<Generation>();
  private readonly closing = new AbortController();

  private constructor(
    private present: Generation,
    private readonly options: GenerationOptions,
    private readonly onSwitch: SwitchListener[] = [],
  ) {}

  /** @throws when the supergraph is not usable */
  static async start(sdl: string, options: GenerationOptions): Promise<Generations> {
    const first = await Generation.build(sdl, options);
    options.metrics.supergraphLoaded(first.version);
    const generations = new Generations(first, options);
    options.metrics.preparation.read(() => generations.present.preparation.reading);
    options.metrics.entityCache.read(() => generations.present.cached?.reading ?? null);
    return generations;
  }

  get current(): Generation {
    return this.present;
  }

  beforeSwitch(listener: SwitchListener): void {
    this.onSwitch.push(listener);
  }

  /** Runs something on the present generation, which stays until it is done. */
  async during<T>(work: (generation: Generation) => Promise<T>): Promise<T> {
    const generation = this.present.enter();
    try {
      return await work(generation);
    } finally {
      generation.leave();
    }
  }

  /**
   * Makes another supergraph the present one, when it is whole and usable and the operations in use are planned. Until
   * then, and if it is not, the present one answers. One at a time, in the order asked.
   */
  reload(sdl: string): Promise<ReloadOutcome> {
    const reloading = this.last.then(() => this.replace(sdl));
    this.last = reloading;
    return reloading;
  }

  /** There may be another supergraph, but it cannot be had. */
  unreachable(thrown: unknown): void {
    const { logger, metrics } = this.options;
    metrics.reloaded('unreachable');
    logger.error(
      { cause: messageOf(thrown), version: this.present.version },
      'the supergraph cannot be read: the present one stays',
    );
  }

  /** Closes all, also under those who still use them. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.last;
    await Promise.all([this.present, ...this.retired].map((generation) => generation.close()));
  }

  private async replace(sdl: string): Promise<ReloadOutcome> {
    const { logger, metrics } = this.options;
    const previous = this.present;
    if (sdl === previous.loaded.sdl) return 'unchanged';
    const next = await this.build(sdl);
    metrics.reloaded(next ? 'ok' : 'refused');
    if (!next) return 'refused';
    const warmed = await warmUp(next, previous, this.closing.signal);
    this.retire(previous, Promise.allSettled(this.onSwitch.map(async (listener) => listener(next))));
    this.present = next;
    metrics.supergraphLoaded(next.version);
    logger.info({ version: next.version, previous: previous.version, ...warmed }, 'the supergraph was reloaded');
    return 'ok';
  }

  private async build(sdl: string): Promise<Generation | null> {
    const { version } = this.present;
    let next: Generation | null = null;
    try {
      next = await Generation.build(sdl, this.options);
      await next.ready();
      return next;
    } catch (thrown) {
      await next?.close();
      const cause = messageOf(thrown);
      this.options.logger.error({ cause, version }, 'the new supergraph is not usable: the present one stays');
      return null;
    }
  }

  private retire(generation: Generation, moved: Promise<unknown>): void {
    this.retired.add(generation.enter());
    moved
      .then(() => {
        generation.leave();
        return generation.retire();
      })
      .catch((thrown: unknown) => this.options.logger.error({ err: thrown }, 'a supergraph was not closed cleanly'))
      .finally(() => this.retired.delete(generation));
  }
}
