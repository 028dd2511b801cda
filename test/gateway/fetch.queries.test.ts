import { describe, expect, it } from '@jest/globals';
import { MutationCount } from '../../gateway/fetch.queries.js';
import { Principal } from '../../subgraphs/kernel/principal.js';

const identityOf = (subject: string, scopes: string[] = []) => ({
  principal: new Principal({ kind: 'PARTNER', subject, scopes, merchantIds: [] }),
  expiresAt: null,
});
const stranger = { principal: Principal.anonymous(), expiresAt: null };

describe('The count of mutations', () => {
  it('tells each asker of their own last one, whatever their token allows', () => {
    const mutations = new MutationCount();
    mutations.end(identityOf('one'));
    mutations.end(identityOf('two'));
    mutations.end(identityOf('one', ['write']));
    mutations.end(stranger);
    expect(mutations.ended).toBe(4);
    expect(['one', 'two', 'three'].map((subject) => mutations.seenBy(identityOf(subject)))).toEqual([3, 2, 0]);
    expect(mutations.seenBy(stranger)).toBe(4);
  });

  it('forgets those whose last one is longest ago, and then takes it that nobody unknown had a later one', () => {
    const mutations = new MutationCount();
    for (let round = 1; round <= 10_002; round += 1) mutations.end(identityOf(`asker ${round}`));
    mutations.end(identityOf('asker 3'));
    mutations.end(identityOf('asker 10003'));
    expect(mutations.seenBy(identityOf('asker 3'))).toBe(10_003);
    // 1, 2 and 4 are forgotten.
    for (const subject of ['asker 1', 'asker 2', 'asker 4', 'nobody'])
      expect(mutations.seenBy(identityOf(subject))).toBe(4);
    expect(mutations.seenBy(identityOf('asker 5'))).toBe(5);
  });
});
