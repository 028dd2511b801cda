import { type Clock, systemClock } from '../../subgraphs/kernel/clock.js';

export interface IssuedToken {
  readonly value: string;
  readonly lifetimeMs: number;
}

/** The access token all calls share: asked for when it is first needed, kept, renewed before it expires. */
export class PaypalToken {
  private current: { readonly value: string; readonly freshUntil: number } | null = null;
  private arriving: Promise<string> | null = null;

  constructor(
    private readonly issue: () => Promise<IssuedToken>,
    private readonly now: Clock = systemClock,
  ) {}

  /** The token at hand, where there is one that will last. */
  fresh(): string | null {
    return this.current && this.now().getTime() < this.current.freshUntil ? this.current.value : null;
  }

  /** Callers who ask while one is on its way share it. @throws what `issue` throws */
  async get(): Promise<string> {
    const fresh = this.fresh();
    if (fresh !== null) return fresh;
    this.arriving ??= this.renew().finally(() => {
      this.arriving = null;
    });
    return this.arriving;
  }

  /** PayPal no longer takes `value`. A newer one that another caller fetched meanwhile stays. */
  forget(value: string): void {
    if (this.current?.value === value) this.current = null;
  }

  private async renew(): Promise<string> {
    const { value, lifetimeMs } = await this.issue();
    // A minute early, so that a token does not expire on its way to PayPal; a short-lived one after nine tenths.
    const margin = Math.min(60_000, lifetimeMs / 10);
    this.current = { value, freshUntil: this.now().getTime() + lifetimeMs - margin };
    return value;
  }
}
