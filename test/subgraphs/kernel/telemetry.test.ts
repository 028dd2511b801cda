import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createLogger, createMetrics, currentRequest } from '../../../subgraphs/kernel/telemetry.js';

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
