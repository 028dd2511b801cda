import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { readEventSources } from '../../gateway/subscribe.source.js';
import { loadSupergraph } from '../../gateway/supergraph.js';

describe('The subscription fields of the published supergraph', () => {
  const { full, api } = loadSupergraph(readFileSync('schema/supergraph.graphql', 'utf8'));
  const sources = [...readEventSources(full, api).values()];

  it('are guarded where a client names the subject: a wrong name is an error, never a silent stream', () => {
    expect(sources).toHaveLength(4);
    for (const { field, guard, principal } of sources)
      expect([field, guard !== null || principal !== null]).toEqual([field, true]);
  });
});
