import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * The content of a private file (mode 0600) that is written once. A start that is killed leaves all of it or nothing;
 * of two starts at once both get the same content.
 */
export async function readOrCreate(file: string, create: () => Promise<string>): Promise<string> {
  const present = await readFile(file, 'utf8').catch(ignoreMissing);
  if (present !== null) return present;
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await mkdir(dirname(file), { recursive: true });
  const writer = await open(draft, 'wx', 0o600);
  try {
    await writer.writeFile(await create());
    await writer.sync();
    // Unlike a rename, a link never replaces what another start wrote meanwhile.
    await link(draft, file).catch(ignoreExisting);
  } finally {
    await writer.close();
    await rm(draft, { force: true });
  }
  return readFile(file, 'utf8');
}

function ignoreMissing(thrown: NodeJS.ErrnoException): null {
  if (thrown.code === 'ENOENT') return null;
  throw thrown;
}

function ignoreExisting(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== 'EEXIST') throw thrown;
}
