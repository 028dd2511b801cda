// Every npm script goes through here, on whatever Node the person has: it installs and builds what is missing or
// stale, then runs the target on the Node that this project pins. Plain JavaScript without packages, for Node 20.
//
//   node local/bootstrap.mjs [--packages] [--build] [--watch] [target [arguments…]]
import { build, isBuilt, sourcesFingerprint } from './bootstrap.build.mjs';
import { install, isInstalled } from './bootstrap.install.mjs';
import { alone } from './bootstrap.lock.mjs';
import { bundlePackages } from './bootstrap.packages.mjs';
import { areBundled, bundlePrograms } from './bootstrap.programs.mjs';
import { Target } from './bootstrap.run.mjs';
import { fail, SetupFailure } from './bootstrap.words.mjs';

const OLDEST_NODE = 20;
const WATCH_MS = 500;

try {
  await main(process.argv.slice(2));
} catch (thrown) {
  if (!(thrown instanceof SetupFailure)) throw thrown;
  fail(thrown.message);
}

async function main(args) {
  const flags = new Set();
  while (args[0]?.startsWith('--')) flags.add(args.shift());
  const [file, ...rest] = args;
  requireNode();
  // Two starts at once would pull the packages away under each other.
  if (!isInstalled()) await alone('install', isInstalled, install);
  if (flags.has('--packages')) return bundlePackages();
  await buildIfStale(flags.has('--build'));
  if (!file) return;
  const target = new Target(file, rest, { restarts: flags.has('--watch') });
  target.start();
  if (flags.has('--watch')) watch(target);
}

function requireNode() {
  const [major] = process.versions.node.split('.');
  if (Number(major) < OLDEST_NODE)
    throw new SetupFailure(
      `Node ${OLDEST_NODE} or newer is needed to begin; this is ${process.version}. See https://nodejs.org.`,
    );
}

async function buildIfStale(always) {
  if (always || !isBuilt()) await alone('build', () => !always && isBuilt(), build);
  if (!areBundled()) await alone('programs', areBundled, bundlePrograms);
}

/** Looks instead of listening: file notifications are unreliable on mounted folders, and a look takes milliseconds. */
function watch(target) {
  let seen = sourcesFingerprint();
  const look = async () => {
    const now = sourcesFingerprint();
    if (now !== seen) {
      seen = now;
      try {
        await buildIfStale(false);
        await target.restart();
      } catch (thrown) {
        // The compiler's words are on the screen; the last good build keeps running.
        console.error(thrown.message);
      }
    }
    setTimeout(look, WATCH_MS);
  };
  setTimeout(look, WATCH_MS);
}
