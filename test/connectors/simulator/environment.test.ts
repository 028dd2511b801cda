import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { json, readEnvironment } from '../../../connectors/simulator/environment.js';

const schema = z.object({ PORT: z.coerce.number().default(0), STORES: json(z.array(z.string())).default([]) });

describe('What a simulator is told', () => {
  it('may be left out or be empty where there is a default, and may be JSON', () => {
    expect(readEnvironment(schema, { PORT: '', STORES: undefined })).toEqual({ PORT: 0, STORES: [] });
    expect(readEnvironment(schema, { PORT: '5', STORES: '["a"]' })).toEqual({ PORT: 5, STORES: ['a'] });
  });

  it('is named where it is wrong, all of it at once, and never quoted', () => {
    const read = () => readEnvironment(schema, { PORT: 'secret-one', STORES: 'secret-two' });
    expect(read).toThrow(/PORT: [\s\S]*STORES: is not JSON/);
    expect(read).not.toThrow(/secret/);
    expect(() => readEnvironment(schema, { STORES: '[1]' })).toThrow('STORES.0');
  });
});
