import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { CommitLine } from './commit.line.js';
import { CrashLab } from './crash.lab.js';

const FELT_WITHIN_MS = 30_000;
const PAUSE_MS = 20;

/** What payments calls its connections to its database; all others are the test's own. */
const OURS =
  "application_name in ('payments', 'payments-workers', 'payments-jobs', 'payment-worker', 'refund-worker', 'outbox-relay')";

/** Something that goes wrong while payments lives, and is over after a while. */
export interface Fault {
  /** Also where the first of all purchases begin; else those are under way. */
  readonly isThereFromTheStart?: true;
  /** What goes wrong from now on. */
  begin(lab: FaultLab): Promise<void>;
  /** Whether it has done its harm: it is ended then, and not after some time. */
  isFelt(lab: FaultLab): Promise<boolean>;
  end(lab: FaultLab): Promise<void>;
}

/** payments as a service of its own, with its clients, beside a database and a bus that fail. */
export class FaultLab {
  private constructor(
    readonly crash: CrashLab,
    readonly line: CommitLine,
    /** May do everything, also where nobody else may connect. */
    private readonly admin: pg.Pool,
    private readonly databases: { readonly payments: string; readonly bus: string },
  ) {}

  static async start(): Promise<FaultLab> {
    let line: CommitLine | null = null;
    const crash = await CrashLab.start(async (url) => {
      line = await CommitLine.to(url);
      return line.url;
    });
    if (!line) throw new Error('payments reaches its database some other way');
    const { payments, bus } = crash.surroundings.databases;
    const admin = new pg.Pool({ connectionString: asAdministrator(payments), max: 1 });
    return new FaultLab(crash, line, admin, { payments: nameOf(payments), bus: nameOf(bus) });
  }

  async stop(): Promise<void> {
    await this.admin.end();
    await this.crash.stop();
    await this.line.stop();
  }

  /**
   * Purchases of all kinds are under way when it begins, and new ones are asked for while it lasts.
   * @returns all that is wrong in the end
   */
  async endure(fault: Fault): Promise<string[]> {
    const { crash } = this;
    crash.refusals.length = 0;
    if (!fault.isThereFromTheStart) await crash.travel('everyday');
    await fault.begin(this);
    const travelling = crash.travel(fault.isThereFromTheStart ? 'everyday' : 'cancelled');
    try {
      await this.until(() => fault.isFelt(this));
    } finally {
      await fault.end(this);
    }
    await travelling;
    const lived = await crash.settle();
    return [...(lived ? [] : ['payments died of it']), ...(await crash.wrongs())];
  }

  /** In the database of payments, by whoever may do everything. */
  async alter(sql: string): Promise<void> {
    await this.admin.query(sql);
  }

  async ask<Row extends object>(sql: string): Promise<Row[]> {
    return (await this.admin.query<Row>(sql)).rows;
  }

  /** How many may be connected to a database, all together; what is connected is thrown out. */
  async limitConnections(which: 'payments' | 'bus', most: number): Promise<void> {
    const name = this.databases[which];
    await this.alter(`alter database ${pg.escapeIdentifier(name)} connection limit ${most}`);
    await this.endConnections(which);
  }

  async unlimitConnections(which: 'payments' | 'bus'): Promise<void> {
    await this.alter(`alter database ${pg.escapeIdentifier(this.databases[which])} connection limit -1`);
  }

  /** @returns how many there were */
  async endConnections(which: 'payments' | 'bus'): Promise<number> {
    const whose = which === 'payments' ? OURS : 'true';
    const rows = await this.ask(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = ${pg.escapeLiteral(this.databases[which])} and ${whose} and pid <> pg_backend_pid()`,
    );
    return rows.length;
  }

  private async until(isSo: () => Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + FELT_WITHIN_MS; !(await isSo()); await delay(PAUSE_MS))
      if (Date.now() > deadline) throw new Error('nothing has felt it');
  }
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

function asAdministrator(url: string): string {
  const place = new URL(process.env['TEST_DATABASE_URL'] ?? '');
  place.pathname = new URL(url).pathname;
  return place.href;
}
