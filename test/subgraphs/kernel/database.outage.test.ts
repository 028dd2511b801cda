import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { GraphQLError } from 'graphql';
import pg from 'pg';
import { freePort } from '../../../local/running.js';
import { openDatabase } from '../../../subgraphs/kernel/database.js';
import { isDatabaseOutage } from '../../../subgraphs/kernel/database.outage.js';
import { InvalidError } from '../../../subgraphs/kernel/error.js';
import { formatError } from '../../../subgraphs/kernel/graphql/error.format.js';
import { Payment } from '../../../subgraphs/payments/payment/payment.entity.js';
import { freshDatabase } from '../../support/database.js';
import { silent } from '../../support/logger.js';

let url: string;
let client: pg.Client;
beforeAll(async () => {
  url = await freshDatabase('outage');
  client = new pg.Client({ connectionString: url });
  await client.connect();
});
afterAll(() => client.end());

const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (thrown: unknown) => thrown,
  );

/** A connection that the server closes while its statement runs. */
async function terminated(): Promise<unknown> {
  const victim = new pg.Client({ connectionString: url });
  victim.on('error', () => undefined);
  await victim.connect();
  const { rows } = await victim.query<{ pid: number }>('select pg_backend_pid() as pid');
  const running = thrownBy(victim.query('select pg_sleep(10)'));
  await client.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  return running;
}

describe('An outage of the database', () => {
  it('is a server that is not there, also as the ORM says it', async () => {
    const dead = `postgres://nobody@127.0.0.1:${await freePort()}/nothing`;
    expect(isDatabaseOutage(await thrownBy(new pg.Client({ connectionString: dead }).connect()))).toBe(true);
    const orm = await openDatabase({ name: 'outage', url: dead, entities: [Payment], migrations: [] });
    expect(isDatabaseOutage(await thrownBy(orm.em.fork().execute('select 1')))).toBe(true);
    expect(isDatabaseOutage(await thrownBy(orm.em.fork().transactional(async () => undefined)))).toBe(true);
    await orm.close();
  });

  it('is a connection that breaks in the middle, and a statement that takes too long', async () => {
    expect(isDatabaseOutage(await terminated())).toBe(true);
    await client.query("set statement_timeout = '20ms'");
    expect(isDatabaseOutage(await thrownBy(client.query('select pg_sleep(5)')))).toBe(true);
    await client.query('reset statement_timeout');
  });

  it('is no mistake of ours or of a client', async () => {
    expect(isDatabaseOutage(await thrownBy(client.query('select nonsense')))).toBe(false);
    expect(isDatabaseOutage(await thrownBy(client.query('select 1 / 0')))).toBe(false);
    for (const thrown of [new TypeError('x is undefined'), new InvalidError('INVALID_ID', 'No.'), 'text', null])
      expect(isDatabaseOutage(thrown)).toBe(false);
  });

  it('reaches clients as SUBGRAPH_UNAVAILABLE, worth another try, without its own words', async () => {
    const originalError = (await terminated()) as Error;
    const thrown = new GraphQLError(originalError.message, { originalError, path: ['payment'] });
    expect(formatError(thrown.toJSON(), thrown, silent)).toEqual({
      message: 'A part of the service does not answer. Try again.',
      path: ['payment'],
      extensions: { code: 'SUBGRAPH_UNAVAILABLE', transient: true, details: { outcome: 'UNKNOWN' } },
    });
  });
});
