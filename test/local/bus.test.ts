import { describe, expect, it } from '@jest/globals';
import { onceOpen } from '../../local/bus.js';
import { openEventBus } from '../../subgraphs/kernel/event/open-event-bus.js';
import { freshBus } from '../support/database.migrated.js';
import { silent } from '../support/logger.js';

describe('A bus that is being opened', () => {
  it('keeps what it is asked until it is open', async () => {
    const opening = Promise.withResolvers<Awaited<ReturnType<typeof freshBus>>>();
    const bus = onceOpen(opening.promise);
    const published = bus.publish([{ id: 'one', subjects: ['early.bird'], payload: { n: 1 } }]);
    const stream = bus.subscribe('early.bird', 'BEGINNING');
    opening.resolve(await freshBus());
    await published;
    expect((await (await stream).next()).value).toMatchObject({ id: 'one', payload: { n: 1 } });
    await bus.ready();
    await bus.close();
  });

  it('says why it was not opened', async () => {
    const bus = onceOpen(openEventBus({ DATABASE_URL_BUS: 'postgres://x:y@127.0.0.1:1/bus' }, silent));
    await expect(bus.ready()).rejects.toThrow('ECONNREFUSED');
    await expect(bus.publish([])).rejects.toThrow('ECONNREFUSED');
  });
});
