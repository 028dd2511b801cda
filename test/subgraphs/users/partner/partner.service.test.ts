import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../../../subgraphs/kernel/id.js';
import { asker, codesOf } from '../../../support/ask.js';
import { type UsersWorld, usersWorld } from '../users.world.js';

let world: UsersWorld;
beforeAll(async () => {
  world = await usersWorld();
});
afterAll(() => world.close());

const GRANTS = `query ($first: Int, $after: String, $last: Int, $before: String) {
  viewer { partner { id name scopes grants(first: $first, after: $after, last: $last, before: $before) {
    nodes { merchant { id } traveler { id displayName } } edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } } }
}`;

interface Grants {
  nodes: { merchant: { id: string } | null; traveler: { id: string; displayName: null } | null }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string };
}

async function partnerWithGrants(count: number) {
  const id = newId('ptr', 'us');
  const { partners } = world.users.services;
  await partners.register({ id, name: 'Ledgerly', scopes: ['payments:read', 'it"s,odd'] });
  const subjectIds = Array.from({ length: count }, () => newId('mer', 'cn'));
  for (const subjectId of subjectIds) await partners.grant({ partnerId: id, subjectId });
  const page = async (args: object) => {
    const response = await world.ask(asker.partner(id), GRANTS, { ...args });
    expect(response.errors).toBeUndefined();
    return (response.data as { viewer: { partner: { grants: Grants } } }).viewer.partner.grants;
  };
  return { id, newestFirst: subjectIds.toReversed(), page };
}

const idsOf = ({ nodes }: Grants) => nodes.map(({ merchant }) => merchant?.id);

describe('A partner', () => {
  it('reads whose payments it may see, page by page in both directions, newest first', async () => {
    const { newestFirst, page } = await partnerWithGrants(5);
    const first = await page({ first: 2 });
    expect(idsOf(first)).toEqual(newestFirst.slice(0, 2));
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const rest = await page({ first: 10, after: first.pageInfo.endCursor });
    expect(idsOf(rest)).toEqual(newestFirst.slice(2));
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    const back = await page({ last: 1, before: rest.pageInfo.startCursor });
    expect(idsOf(back)).toEqual(newestFirst.slice(1, 2));
  });

  it('sees travelers only as ids', async () => {
    const { id, page } = await partnerWithGrants(0);
    const { travelerId } = await world.travelerWithWallet();
    await world.users.services.partners.grant({ partnerId: id, subjectId: travelerId });
    expect((await page({})).nodes).toEqual([{ merchant: null, traveler: { id: travelerId, displayName: null } }]);
  });

  it('is refused a page that is too large or a cursor of somewhere else', async () => {
    const { id } = await partnerWithGrants(0);
    const forged = Buffer.from('k:1; drop table partner').toString('base64url');
    expect(codesOf(await world.ask(asker.partner(id), GRANTS, { first: 101 }))).toEqual(['INVALID_PAGE']);
    for (const after of ['x', forged])
      expect(codesOf(await world.ask(asker.partner(id), GRANTS, { after }))).toEqual(['INVALID_CURSOR']);
  });

  it('is granted sight once, also by several at once, and again after it was taken back', async () => {
    const { id, page } = await partnerWithGrants(0);
    const grant = { partnerId: id, subjectId: newId('mer', 'cn') };
    const { partners } = world.users.services;
    await Promise.all([partners.grant(grant), partners.grant(grant), partners.grant(grant)]);
    expect(idsOf(await page({}))).toEqual([grant.subjectId]);
    await partners.revoke(grant);
    expect(idsOf(await page({}))).toEqual([]);
    await partners.grant(grant);
    expect(idsOf(await page({}))).toEqual([grant.subjectId]);
    await expect(partners.grant({ ...grant, partnerId: newId('ptr', 'us') })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('takes its new name and scopes when it is registered again', async () => {
    const id = newId('ptr', 'us');
    const { partners } = world.users.services;
    await partners.register({ id, name: 'Old', scopes: [] });
    await partners.register({ id, name: 'New', scopes: ['a', 'b,"c}'] });
    expect(await partners.find([id])).toMatchObject([{ name: 'New', scopes: ['a', 'b,"c}'] }]);
  });
});
