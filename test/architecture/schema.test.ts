import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';
import { root } from '../support/sources.js';

it('schema/*.graphql is exactly what the code emits (rule 5)', async () => {
  const emit = promisify(execFile)(process.execPath, [join(root, 'dist', 'schema', 'emit.js'), '--check'], {
    cwd: root,
  });
  await expect(emit).resolves.toBeDefined();
});
