// How a bundled program comes by its packages: as scripts, together with what Node made of them the last time. For modules
// Node keeps only what it compiles before it runs them, and compiles thousands of functions anew at each start.

// Not by `import`, for which Node asks a module for each of its exports, and loads what some of them need.
const { readFileSync, renameSync, statSync, writeFileSync } = process.getBuiltinModule('node:fs');
const { createRequire } = process.getBuiltinModule('node:module');
const { basename, dirname, join } = process.getBuiltinModule('node:path');
const { fileURLToPath } = process.getBuiltinModule('node:url');
const { Script } = process.getBuiltinModule('node:vm');
const { isMainThread, threadName } = process.getBuiltinModule('node:worker_threads');
const { crc32 } = process.getBuiltinModule('node:zlib');

/** After a program is ready, which it says by this event of `process`; so long that it has answered something, too. */
const KEEP_AFTER_MS = 5_000;
/** Of a file of kept code: the time and size of its script, its own checksum. The code begins where V8 wants it to. */
const HEAD_BYTES = 16;

const loaded = new Map();
const unkept = [];

/** What the packages of this script export: a function for each of them, by its name. */
export function packagesIn({ href }, given) {
  const known = loaded.get(href);
  if (known) return known;
  const file = fileURLToPath(href);
  const module = { exports: {} };
  const run = compiled(file).runInThisContext();
  run(module.exports, createRequire(file), module, file, dirname(file), href, given);
  loaded.set(href, module.exports);
  return module.exports;
}

function compiled(file) {
  const place = placeOf(file);
  // Before it is read: changed meanwhile, it would be taken for what it is not.
  const known = recordOf(statSync(file));
  const cachedData = keptCode(place, known);
  // Bundles are ASCII.
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData });
  if (!cachedData || script.cachedDataRejected) keepLater({ place, script, known });
  return script;
}

function recordOf({ mtimeMs, size }) {
  const record = Buffer.alloc(HEAD_BYTES - 4);
  record.writeDoubleLE(mtimeMs, 0);
  record.writeUInt32LE(size, 8);
  return record;
}

/** Each program uses other parts; a thread is a program of its own. V8 takes only what it made itself with the same flags. */
function placeOf(file) {
  const program = basename(dirname(process.argv[1] ?? ''));
  const how = crc32([process.version, ...process.execArgv].join('\n'));
  const who = [program, ...(isMainThread ? [] : [threadName]), how].join('-');
  return join(dirname(file), `${basename(file, '.cjs')}.${who}.code`);
}

/** Undefined where there is none of this very script, or it is damaged: V8 itself looks at hardly more than lengths. */
function keptCode(place, known) {
  try {
    const kept = readFileSync(place);
    const code = kept.subarray(HEAD_BYTES);
    if (kept.subarray(0, known.length).equals(known) && kept.readUInt32LE(known.length) === crc32(code)) return code;
  } catch {
    // Not kept yet, or not whole.
  }
  return undefined;
}

function keepLater(one) {
  unkept.push(one);
  if (unkept.length > 1) return;
  // The only word of a thread is that it works.
  if (isMainThread) process.once('programReady', keepSoon);
  else keepSoon();
}

function keepSoon() {
  setTimeout(keep, KEEP_AFTER_MS).unref();
  process.once('exit', keep);
}

function keep() {
  for (const { place, script, known } of unkept.splice(0)) {
    const code = script.createCachedData();
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(crc32(code));
    const unfinished = `${place}.${process.pid}`;
    try {
      writeFileSync(unfinished, Buffer.concat([known, sum, code]));
      renameSync(unfinished, place);
    } catch {
      // Replaced by another bundle meanwhile, or no room on the disk: the next start takes a little longer.
    }
  }
}
