import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Fault, FaultLab } from '../support/fault.lab.js';

let lab: FaultLab;
beforeAll(async () => {
  lab = await FaultLab.start();
});
afterAll(() => lab.stop());

/** The tables that grow while payments works, its queue's among them. */
const TABLES = [
  'checkout',
  'payment',
  'payment_event',
  'hold',
  'posting',
  'outbox',
  'idempotency_record',
  'pgboss.job',
];
/** As a full disk is met: by whoever writes a new row, or, where a check waits for the end, by whoever commits. */
function fullDisk(name: string, triggerOn: (table: string) => string): Fault {
  const body = (what: string) =>
    `create or replace function ${name}() returns trigger language plpgsql as $$ begin ${what} return null; end $$`;
  return {
    begin: async (at) => {
      await at.alter(body(`raise exception 'could not extend file: No space left on device' using errcode = '53100';`));
      // One by one: together their locks and those of payments would wait for each other.
      for (const table of TABLES) await at.alter(`create ${triggerOn(table)} execute function ${name}()`);
    },
    isFelt: async ({ crash }) => crash.refusals.length >= 4,
    end: async (at) => at.alter(body('')),
  };
}

let ended = 0;

const faults: Readonly<Record<string, Fault>> = {
  'the answer to COMMIT is lost, of every second one': {
    isThereFromTheStart: true,
    begin: async ({ line }) => line.loseAnswers(1_000),
    isFelt: async ({ line }) => line.lost >= 16,
    end: async ({ line }) => line.heal(),
  },
  'the database has connections for two only': {
    begin: (at) => at.limitConnections('payments', 2),
    isFelt: async ({ crash }) => crash.refusals.length >= 4,
    end: (at) => at.unlimitConnections('payments'),
  },
  'an administrator ends all connections, again and again': {
    begin: async () => {
      ended = 0;
    },
    isFelt: async (at) => {
      ended += await at.endConnections('payments');
      return ended >= 60;
    },
    end: async () => undefined,
  },
  'the disk is full for who writes a row': fullDisk(
    'refuse_row',
    (table) => `trigger refuse_row before insert on ${table} for each statement`,
  ),
  'the disk is full for who commits': fullDisk(
    'refuse_commit',
    (table) => `constraint trigger refuse_commit after insert on ${table} deferrable initially deferred for each row`,
  ),
  // All others write and read there too.
  'the bus is away until every payment is over': {
    begin: (at) => at.limitConnections('bus', 0),
    isFelt: async (at) => {
      const [{ busy, waiting } = { busy: 1, waiting: 0 }] = await at.ask<{ busy: number; waiting: number }>(
        `select (select count(*)::int from payment where status in ('PROCESSING', 'PAID')) as busy,
                (select count(*)::int from outbox) as waiting`,
      );
      return busy === 0 && waiting > 0;
    },
    end: (at) => at.unlimitConnections('bus'),
  },
};

describe('payments', () => {
  it.each(Object.entries(faults))(
    'ends everything right, once, although %s; its clients hear of nothing but an outage (M1 to M10)',
    async (_, fault) => {
      expect(await lab.endure(fault)).toEqual([]);
      // It says to ask again, whatever became of it; who does, by the same key, has it once.
      expect(lab.crash.refusals.filter((code) => code !== 'SUBGRAPH_UNAVAILABLE')).toEqual([]);
    },
    240_000,
  );
});
