import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT, say } from './bootstrap.words.mjs';

// `dist` is ours to write and never committed; node_modules is emptied while npm installs.
const FOLDER = join(ROOT, 'dist');
const BEAT_MS = 1_000;
const STALE_MS = 15_000;

/**
 * Runs `work` unless another process of this checkout did it meanwhile: of two that come at once, one works and the
 * other waits. The lock is a file whose time its owner renews, so a killed owner does not hold it for long.
 */
export async function alone(name, isDone, work) {
  const lock = join(FOLDER, `.${name}.lock`);
  mkdirSync(FOLDER, { recursive: true });
  for (let waited = 0; !take(lock); waited += 1) {
    if (waited === 0) say(`another start is busy with the ${name}, waiting for it`);
    await delay(200);
  }
  const beat = setInterval(() => touch(lock), BEAT_MS);
  try {
    if (!isDone()) await work();
  } finally {
    clearInterval(beat);
    rmSync(lock, { force: true });
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (thrown) {
    if (thrown.code !== 'EEXIST') throw thrown;
    if (isAbandoned(lock)) discard(lock);
    return false;
  }
}

function isAbandoned(lock) {
  try {
    if (Date.now() - statSync(lock).mtimeMs > STALE_MS) return true;
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return false;
  } catch (thrown) {
    // ESRCH: its owner is gone. Anything else (given back this moment, another user's) is settled by the next look.
    return thrown.code === 'ESRCH';
  }
}

/** Of several that find it abandoned only one can rename it, so that nobody removes a lock that was just taken. */
function discard(lock) {
  const aside = `${lock}.${process.pid}`;
  try {
    renameSync(lock, aside);
    rmSync(aside, { force: true });
  } catch {
    // Another one was faster.
  }
}

function touch(lock) {
  const now = new Date();
  try {
    utimesSync(lock, now, now);
  } catch {
    // Removed by hand: the work goes on all the same.
  }
}
