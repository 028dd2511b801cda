import { describe, expect, it } from '@jest/globals';
import { defaultAdmission } from '../../gateway/admission.js';
import { readGatewayConfiguration, readPlanning } from '../../gateway/configuration.js';
import { defaultPlanning } from '../../gateway/plan.js';
import { root } from '../support/sources.js';

const NEEDED = {
  JWKS_URL: 'https://sign-in.example/jwks',
  JWT_ISSUER: 'https://sign-in.example',
  INTERNAL_SIGNING_KEY: 'key',
  SUPERGRAPH: `${root}/schema/supergraph.graphql`,
};
const read = (environment: Record<string, string> = {}) => readGatewayConfiguration({ ...NEEDED, ...environment });

describe('What may be asked', () => {
  it('is by default what a gateway that is told nothing allows', () => {
    const { admission, trustedDocuments, automaticPersistedQueries, mostBodyBytes, entityCacheBytes } = read();
    expect(admission).toEqual(defaultAdmission);
    expect({ trustedDocuments, automaticPersistedQueries, mostBodyBytes, entityCacheBytes }).toEqual({
      trustedDocuments: undefined,
      automaticPersistedQueries: true,
      mostBodyBytes: 524_288,
      entityCacheBytes: 16_777_216,
    });
  });

  it('is planned in a thread of its own, unless told otherwise, and told alike by whoever runs it', () => {
    expect(read().planning).toEqual({ ...defaultPlanning, ownThread: true });
    const told = { PLAN_THREAD: 'off', PLAN_WAITING: '1', PLAN_MS: '2', PLAN_MEBIBYTES: '3' };
    const planning = { ownThread: false, mostWaiting: 1, mostMs: 2, mostMebibytes: 3 };
    expect(read(told).planning).toEqual(planning);
    expect(readPlanning(told)).toEqual(planning);
    expect(() => read({ PLAN_MS: '0' })).toThrow(/PLAN_MS/);
  });

  it('is told by the environment, limit by limit', () => {
    const { admission, mostBodyBytes, entityCacheBytes } = read({
      LIMIT_ROOT_FIELDS: '1',
      LIMIT_DIRECTIVES: '2',
      LIMIT_DIRECTIVES_PER_FIELD: '3',
      LIMIT_BYTES: '4',
      ENTITY_CACHE_BYTES: '0',
      LIMIT_COST: '5',
      COST_LIST_SIZE: '6',
      ADDRESS_RATE_PER_SECOND: '7',
      ADDRESS_RATE_BURST: '8',
      RATE_PER_SECOND: '0',
    });
    expect(admission.limits).toMatchObject({ rootFields: 1, directives: 2, directivesPerField: 3 });
    expect(admission).toMatchObject({
      cost: { most: 5, listSize: 6 },
      rate: null,
      addressRate: { perSecond: 7, burst: 8 },
    });
    expect([mostBodyBytes, entityCacheBytes]).toEqual([4, 0]);
    expect(read({ LIMIT_COST: '0', ADDRESS_RATE_PER_SECOND: '0' }).admission).toMatchObject({
      cost: null,
      addressRate: null,
    });
  });

  it('is by registered documents where a manifest is named, and hashes can be switched off', () => {
    expect(read({ TRUSTED_DOCUMENTS: 'm.json' }).trustedDocuments).toEqual({ path: 'm.json', mode: 'optional' });
    const only = {
      TRUSTED_DOCUMENTS: 'm.json',
      TRUSTED_DOCUMENTS_MODE: 'required',
      AUTOMATIC_PERSISTED_QUERIES: 'off',
    };
    expect(read(only)).toMatchObject({
      trustedDocuments: { path: 'm.json', mode: 'required' },
      automaticPersistedQueries: false,
    });
  });

  it('is not left open by a demand for registered documents without any', () => {
    expect(() => read({ TRUSTED_DOCUMENTS_MODE: 'required' })).toThrow(/TRUSTED_DOCUMENTS/);
    expect(() => read({ TRUSTED_DOCUMENTS: 'm.json', TRUSTED_DOCUMENTS_MODE: 'requird' })).toThrow(
      /TRUSTED_DOCUMENTS_MODE/,
    );
  });
});
