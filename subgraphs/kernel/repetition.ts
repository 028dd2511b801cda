import { WakeUp } from './event/wake-up.js';

/** Does something again and again, `pauseMs` apart, until it is stopped. A failure is logged and ends nothing. */
export class Repetition {
  private stopped = false;
  private loop: Promise<void> | null = null;
  private readonly pause = new WakeUp();

  constructor(
    /** @param isStopped for work of several steps, which may break off between two */
    private readonly work: (isStopped: () => boolean) => Promise<void>,
    private readonly pauseMs: number,
    private readonly onFailure: (thrown: unknown) => void,
  ) {}

  start(): void {
    this.loop ??= this.run();
  }

  /** Resolves when the work under way is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.pause.call();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await this.work(() => this.stopped).catch(this.onFailure);
      if (!this.stopped) await this.pause.sleep(this.pauseMs);
    }
  }
}
