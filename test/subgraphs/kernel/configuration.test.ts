import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import {
  ConfigurationError,
  databaseUrl,
  readConfiguration,
  variable,
} from '../../../subgraphs/kernel/configuration.js';

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
