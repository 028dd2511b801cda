import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { asker, codesOf, entities } from '../../../support/ask.js';
import { ada, paypal, type UsersWorld, usersWorld } from '../users.world.js';

let world: UsersWorld;
beforeAll(async () => {
  world = await usersWorld();
});
afterAll(() => world.close());

const TRAVELER = `query ($id: ID!) {
  traveler(id: $id) { id displayName legalName email homeMarket { code } wallets { id label } }
}`;

describe('A traveler', () => {
  it('sees all that we know of them', async () => {
    const { travelerId, walletId } = await world.travelerWithWallet();
    const { data, errors } = await world.ask(asker.traveler(travelerId), TRAVELER, { id: travelerId });
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      traveler: {
        id: travelerId,
        ...ada,
        homeMarket: { code: 'US' },
        wallets: [{ id: walletId, label: 'PayPal a•••@…' }],
      },
    });
  });

  it('is seen by operators', async () => {
    const { travelerId } = await world.travelerWithWallet();
    const { data } = await world.ask(asker.operator(), TRAVELER, { id: travelerId });
    expect(data).toMatchObject({ traveler: { displayName: ada.displayName } });
  });

  it('does not exist for anyone else, exactly as one who does not exist', async () => {
    const { travelerId } = await world.travelerWithWallet();
    const others = [
      asker.traveler(newId('trv', 'us')),
      asker.member(newId('mer', 'cn')),
      asker.partner(newId('ptr', 'us')),
      asker.payments,
    ];
    for (const other of others) {
      const existing = await world.ask(other, TRAVELER, { id: travelerId });
      const missing = await world.ask(other, TRAVELER, { id: newId('trv', 'us') });
      expect(codesOf(existing)).toEqual(['NOT_FOUND']);
      expect(existing).toEqual(missing);
    }
    expect(codesOf(await world.ask(asker.stranger, TRAVELER, { id: travelerId }))).toEqual(['UNAUTHENTICATED']);
    expect(codesOf(await world.ask(asker.operator(), TRAVELER, { id: newId('trv', 'us') }))).toEqual(['NOT_FOUND']);
  });

  it('has an id of its own kind', async () => {
    for (const id of ['', 'x', newId('wal', 'us'), 'trv_us_zzzzzzzzzzzzzzzzzzzzzzzzzz'])
      expect(codesOf(await world.ask(asker.operator(), TRAVELER, { id }))).toEqual(['INVALID_ID']);
  });

  it('is to others, who met them in a payment, an id and nothing else', async () => {
    const { travelerId } = await world.travelerWithWallet();
    const representations = [{ __typename: 'Traveler', id: travelerId }];
    const query = entities('... on Traveler { id displayName legalName email homeMarket { code } wallets { id } }');
    const { data, errors } = await world.ask(asker.member(newId('mer', 'cn')), query, { representations });
    expect(errors).toBeUndefined();
    expect(data?.['_entities']).toEqual([
      { id: travelerId, displayName: null, legalName: null, email: null, homeMarket: null, wallets: null },
    ]);
    const own = await world.ask(asker.traveler(travelerId), query, { representations });
    expect(own.data?.['_entities']).toMatchObject([{ displayName: ada.displayName, wallets: [{}] }]);
  });

  it('is enrolled once: the same id again changes nothing, also at the same moment', async () => {
    const id = newId('trv', 'us');
    const enrol = (displayName: string) =>
      world.users.services.travelers.enrol({ ...ada, id, homeMarketCode: 'US', displayName });
    await Promise.all([enrol('First'), enrol('First'), enrol('First')]);
    await enrol('Second');
    expect(await world.users.services.travelers.find([id])).toMatchObject([{ details: { displayName: 'First' } }]);
  });

  it('costs the same number of statements alone and among thirty', async () => {
    const many = await Promise.all(Array.from({ length: 30 }, () => world.travelerWithWallet()));
    const query = entities(
      '... on Traveler { displayName homeMarket { name spendingLimits { network } } wallets { id } }',
    );
    const counts: number[] = [];
    for (const some of [many.slice(0, 1), many]) {
      const representations = some.map(({ travelerId }) => ({ __typename: 'Traveler', id: travelerId }));
      world.statements();
      const { data, errors } = await world.ask(asker.operator(), query, { representations });
      expect(errors).toBeUndefined();
      expect(data?.['_entities']).toHaveLength(some.length);
      counts.push(world.statements().length);
    }
    expect(counts).toEqual([6, 6]);
  });
});

describe('Personal data at rest', () => {
  it('is nowhere in the database in clear, nor is the key that opens it', async () => {
    const { travelerId } = await world.travelerWithWallet('augusta@lovelace.example');
    const rows = await world.sql(
      `select t.*, w.*, k.* from traveler t join wallet w on w.traveler_id = t.id join subject_key k on k.subject_id = t.id
        where t.id = $1`,
      [travelerId],
    );
    expect(rows).toHaveLength(1);
    const bytes = Buffer.concat(
      Object.values(rows[0] ?? {}).map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(String(value)))),
    );
    const secrets = [...Object.values(ada), 'augusta', 'lovelace', 'PayPal', paypal.vaultReference];
    for (const secret of secrets) expect(bytes.includes(Buffer.from(secret))).toBe(false);
    expect(bytes.includes(Buffer.from(travelerId))).toBe(true);
  });

  it('opens only where it was sealed: a value copied to another traveler is refused, not shown', async () => {
    const [victim, thief] = [await world.travelerWithWallet(), await world.travelerWithWallet()];
    await world.sql('update traveler set email = (select email from traveler where id = $1) where id = $2', [
      victim.travelerId,
      thief.travelerId,
    ]);
    const response = await world.ask(asker.traveler(thief.travelerId), TRAVELER, { id: thief.travelerId });
    expect(codesOf(response)).toEqual(['INTERNAL_SERVER_ERROR']);
    expect(JSON.stringify(response)).not.toContain(ada.email);
  });

  it('is gone for good once the traveler is erased, and stays so', async () => {
    const { travelerId, walletId } = await world.travelerWithWallet();
    const copy = await world.sql('select * from traveler where id = $1', [travelerId]);
    await world.users.services.travelers.erase(travelerId);
    await world.users.services.travelers.erase(travelerId);

    const { data } = await world.ask(asker.operator(), TRAVELER, { id: travelerId });
    expect(data).toEqual({
      traveler: {
        id: travelerId,
        displayName: null,
        legalName: null,
        email: null,
        homeMarket: { code: 'US' },
        wallets: [{ id: walletId, label: 'PayPal' }],
      },
    });
    // Not even the rows of a backup help without the key.
    await world.sql(
      'update traveler set display_name = $2, legal_name = $3, email = $4, erased_at = null where id = $1',
      [travelerId, copy[0]?.['display_name'], copy[0]?.['legal_name'], copy[0]?.['email']],
    );
    expect(await world.users.services.travelers.find([travelerId])).toMatchObject([{ details: null }]);
    await world.users.services.travelers.enrol({ ...ada, id: travelerId, homeMarketCode: 'US' });
    expect(await world.users.services.travelers.find([travelerId])).toMatchObject([{ details: null }]);
  });

  it('is erased only for those who exist', async () => {
    await expect(world.users.services.travelers.erase(newId('trv', 'us'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
