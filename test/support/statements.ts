import pg from 'pg';

/** What goes over the wire to PostgreSQL from this process: whoever sent it, also what no ORM logs (begin, commit, jobs). */
export class Statements {
  private seen: { readonly application: string; readonly sql: string }[] = [];

  private constructor(private readonly restore: () => void) {}

  /** Watches all connections that are opened from now on. */
  static watch(): Statements {
    const { query } = pg.Client.prototype;
    const statements = new Statements(() => {
      pg.Client.prototype.query = query;
    });
    pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
      const { application_name } = (this as unknown as { connectionParameters: { application_name: string } })
        .connectionParameters;
      const [first] = args as [string | { text: string }];
      statements.seen.push({ application: application_name, sql: typeof first === 'string' ? first : first.text });
      return (query as (...all: unknown[]) => unknown).apply(this, args);
    } as typeof query;
    return statements;
  }

  /** Those sent by connections of that name since the last `forget`. */
  of(application: string): string[] {
    return this.seen.filter((each) => each.application === application).map(({ sql }) => sql);
  }

  forget(): void {
    this.seen = [];
  }

  stop(): void {
    this.restore();
  }
}
