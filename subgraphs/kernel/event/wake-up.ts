/** A wake-up call for one sleeper. It is not lost when it comes before the sleep. */
export class WakeUp {
  private called = false;
  private wake: () => void = () => undefined;

  call(): void {
    this.called = true;
    this.wake();
  }

  /** Returns at the next call, at once where one came since the last sleep, or after `ms`. */
  async sleep(ms: number): Promise<void> {
    if (!this.called) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.called = false;
  }
}
