/** Lets so many work at once; who comes later waits in line. */
export class Turnstile {
  private inside = 0;
  private readonly line: (() => void)[] = [];

  constructor(private readonly most: number) {}

  async through<T>(work: () => Promise<T>): Promise<T> {
    // Whoever leaves hands its place on, so that nobody who comes just then is faster.
    if (this.inside < this.most) this.inside += 1;
    else await new Promise<void>((resolve) => this.line.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.line.shift();
      if (next) next();
      else this.inside -= 1;
    }
  }
}
