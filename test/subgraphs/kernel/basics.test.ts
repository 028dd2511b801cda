import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { after, sleep } from '../../../subgraphs/kernel/clock.js';
import {
  ConfigurationError,
  databaseUrl,
  readConfiguration,
  variable,
} from '../../../subgraphs/kernel/configuration.js';
import {
  ConflictError,
  ForbiddenError,
  InvalidError,
  InvariantViolation,
  invariant,
  messageOf,
  NotFoundError,
  UnavailableError,
  unreachable,
} from '../../../subgraphs/kernel/error.js';
import { WakeUp } from '../../../subgraphs/kernel/event/wake-up.js';
import { manyByKey, oneByKey } from '../../../subgraphs/kernel/loader.js';
import { ForbiddenTransition, isFinal, step, type Transitions } from '../../../subgraphs/kernel/states.js';
import { createLogger, createMetrics, currentRequest } from '../../../subgraphs/kernel/telemetry.js';

describe('clock', () => {
  it('tells the moment after and before another', () => {
    expect(after(new Date(1_000), 500)).toEqual(new Date(1_500));
    expect(after(new Date(1_000), -500)).toEqual(new Date(500));
  });

  it('sleeps as long as asked, or until it is told to stop', async () => {
    const startedAt = Date.now();
    await sleep(30);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(28);
    const controller = new AbortController();
    const sleeping = sleep(60_000, controller.signal);
    controller.abort();
    await sleeping;
    await sleep(60_000, controller.signal);
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });
});

describe('WakeUp', () => {
  it('does not lose a call that comes before the sleep, and counts it once', async () => {
    const wakeUp = new WakeUp();
    wakeUp.call();
    wakeUp.call();
    const startedAt = Date.now();
    await wakeUp.sleep(10_000);
    expect(Date.now() - startedAt).toBeLessThan(1_000);
    const second = wakeUp.sleep(10_000);
    wakeUp.call();
    await second;
    const thirdAt = Date.now();
    await wakeUp.sleep(30);
    expect(Date.now() - thirdAt).toBeGreaterThanOrEqual(28);
  });
});

describe('error', () => {
  it('has a public code, a kind, and says whether a retry can help', () => {
    const errors = [
      new InvalidError('INVALID_MONEY', 'no', { most: 5 }),
      new NotFoundError(),
      new ForbiddenError('no'),
      new ConflictError('CHECKOUT_EXPIRED', 'no'),
      new UnavailableError('RATE_UNAVAILABLE', 'no'),
    ];
    expect(errors.map(({ name, kind, code, transient }) => [name, kind, code, transient])).toEqual([
      ['InvalidError', 'Invalid', 'INVALID_MONEY', false],
      ['NotFoundError', 'NotFound', 'NOT_FOUND', false],
      ['ForbiddenError', 'Forbidden', 'FORBIDDEN', false],
      ['ConflictError', 'Conflict', 'CHECKOUT_EXPIRED', false],
      ['UnavailableError', 'Unavailable', 'RATE_UNAVAILABLE', true],
    ]);
    expect(errors[0]?.details).toEqual({ most: 5 });
  });

  it('is another one where the program contradicts itself', () => {
    expect(() => invariant(false, 'M1')).toThrow(new InvariantViolation('M1'));
    expect(() => invariant(1, 'M1')).not.toThrow();
    expect(() => unreachable('X' as never)).toThrow('unexpected value "X"');
  });

  it('has a message, whatever was thrown', () => {
    expect([messageOf(new Error('a')), messageOf('b'), messageOf(undefined)]).toEqual(['a', 'b', 'undefined']);
  });
});

describe('states', () => {
  const table: Transitions<'OPEN' | 'DONE' | 'GONE'> = { OPEN: ['DONE', 'GONE'], DONE: [], GONE: [] };

  it('follow each other only as the table says', () => {
    for (const from of ['OPEN', 'DONE', 'GONE'] as const)
      for (const to of ['OPEN', 'DONE', 'GONE'] as const)
        if (table[from].includes(to)) expect(step(table, from, to)).toBe(to);
        else expect(() => step(table, from, to)).toThrow(ForbiddenTransition);
  });

  it('are final where nothing follows', () => {
    expect([isFinal(table, 'OPEN'), isFinal(table, 'DONE')]).toEqual([false, true]);
  });
});

describe('configuration', () => {
  const shape = {
    PORT: variable.port(4000),
    URL: variable.url(),
    SECRET: variable.text(),
    FLAG: variable.flag(false),
    WAIT: variable.milliseconds(10),
    KEYS: variable.json(z.record(z.string(), z.string())),
  };
  const good = { URL: 'http://localhost', SECRET: 'hidden', KEYS: '{"a":"b"}' };

  it('fills in what has a default', () => {
    expect(readConfiguration(shape, good)).toEqual({
      PORT: 4000,
      URL: 'http://localhost',
      SECRET: 'hidden',
      FLAG: false,
      WAIT: 10,
      KEYS: { a: 'b' },
    });
    expect(readConfiguration(shape, { ...good, PORT: '0', FLAG: 'true', WAIT: '5' })).toMatchObject({
      PORT: 0,
      FLAG: true,
      WAIT: 5,
    });
  });

  it('names every variable that is wrong at once, and never shows a value', () => {
    const environment = { PORT: '99999', URL: 'hidden', FLAG: 'hidden', WAIT: '-1', KEYS: '{hidden' };
    const failure = (() => {
      try {
        readConfiguration(shape, environment);
      } catch (thrown) {
        return thrown as Error;
      }
      return null;
    })();
    expect(failure).toBeInstanceOf(ConfigurationError);
    for (const name of ['PORT', 'URL', 'SECRET', 'FLAG', 'WAIT', 'KEYS'])
      expect(failure?.message).toContain(`  ${name}: `);
    expect(failure?.message).not.toContain('hidden');
    expect(failure?.message).not.toContain('99999');
  });

  it('derives the database of a subgraph from the shared one, and prefers its own', () => {
    const shared = { DATABASE_URL: 'postgres://u:p@h:5432/sojourn?sslmode=require' };
    expect(databaseUrl('payments', shared)).toBe('postgres://u:p@h:5432/sojourn_payments?sslmode=require');
    expect(databaseUrl('fx', { ...shared, DATABASE_URL_FX: 'postgres://h/own' })).toBe('postgres://h/own');
    expect(() => databaseUrl('bus', {})).toThrow('Set DATABASE_URL_BUS or DATABASE_URL.');
  });
});

describe('loaders', () => {
  it('answer in the order of the keys, with null or nothing where there is no row', async () => {
    const asked: (readonly string[])[] = [];
    const rows = [
      { key: 'b', n: 1 },
      { key: 'a', n: 2 },
      { key: 'b', n: 3 },
    ];
    const fetch = async (keys: readonly string[]) => {
      asked.push(keys);
      return rows.filter(({ key }) => keys.includes(key));
    };
    expect(await oneByKey(fetch, (row) => row.key).loadMany(['a', 'x', 'b'])).toEqual([rows[1], null, rows[2]]);
    expect(await manyByKey(fetch, (row) => row.key).loadMany(['b', 'x', 'a'])).toEqual([
      [rows[0], rows[2]],
      [],
      [rows[1]],
    ]);
    expect(asked).toHaveLength(2);
  });
});

describe('telemetry', () => {
  it('keeps secrets and names out of the log, and names the request', async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const logger = createLogger('test', 'info', sink);
    const secret = 'hush';
    currentRequest.run({ requestId: 'r-1' }, () => {
      logger.info(
        { authorization: secret, token: secret, password: secret, a: { secret, b: { email: secret } } },
        'one',
      );
      logger.error(
        { err: new Error('what'), traveler: { displayName: secret }, wallet: { vaultReference: secret } },
        'two',
      );
      logger.debug('not shown');
    });
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain(secret);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      requestId: 'r-1',
      name: 'test',
      msg: 'one',
      token: '[redacted]',
    });
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({
      err: { message: 'what' },
      traveler: { displayName: '[redacted]' },
    });
    // Nothing of one entry shows in the next of the same request.
    expect(lines[1]).not.toContain('password');
  });

  it('has the figures of the process', async () => {
    expect(await createMetrics().metrics()).toContain('process_cpu_seconds_total');
  });
});
