import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isAlive } from '../../local/running.js';
import { filesIn, root } from '../support/sources.js';

let folder: string;

/** Stands in for npm: what it does is to fill node_modules, slowly, and to leave a line in a log. */
const NPM = `
  import { appendFileSync, cpSync, mkdirSync, rmSync } from 'node:fs';
  import { setTimeout as delay } from 'node:timers/promises';
  appendFileSync('npm.log', process.argv.slice(2).join(' ') + '\\n');
  await delay(300);
  if (process.env.NPM_FAILS) process.exit(7);
  rmSync('node_modules', { recursive: true, force: true });
  cpSync('prepared', 'node_modules', { recursive: true, verbatimSymlinks: true });
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sojourn setup '));
  for (const path of filesIn('local').filter((name) => /\/bootstrap.*\.mjs$/.test(name)))
    cpSync(join(root, path), join(folder, path));
  for (const name of ['connectors', 'gateway', 'schema', 'subgraphs', 'test', 'prepared/node/bin'])
    mkdirSync(join(folder, name), { recursive: true });
  symlinkSync(process.execPath, join(folder, 'prepared/node/bin/node'));
  symlinkSync(join(root, 'node_modules/typescript'), join(folder, 'prepared/typescript'));
  writeFileSync(join(folder, 'npm.mjs.js'), NPM);
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(
    join(folder, 'package-lock.json'),
    '{ "packages": { "": {}, "node_modules/node": { "version": "24.0.0" } } }',
  );
  const compilerOptions = { module: 'nodenext', target: 'es2024', outDir: 'dist', rootDir: '.', types: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['local', 'gateway'] }));
  write(
    'local/hello.ts',
    'declare const process: any; console.log("hello", ...process.argv.slice(2)); process.exitCode = 3;',
  );
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function start(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess & { said: () => string } {
  const child = spawn(process.execPath, [join(folder, 'local/bootstrap.mjs'), ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      npm_execpath: join(folder, 'npm.mjs.js'),
      npm_config_user_agent: 'npm/11.0.0 node/v24.0.0',
      ...environment,
    },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return Object.assign(child, { said: () => said });
}

async function run(args: readonly string[], environment?: Readonly<Record<string, string>>) {
  const child = start(args, environment);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said: child.said() };
}

async function until<T>(look: () => T | undefined | false, deadlineMs = 10_000): Promise<T> {
  for (let waited = 0; ; waited += 20) {
    const seen = look();
    if (seen !== undefined && seen !== false) return seen;
    if (waited > deadlineMs) throw new Error('it did not happen in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function installs(): number {
  const log = join(folder, 'npm.log');
  return existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0;
}

describe('Setting up', () => {
  it('installs, builds and runs the target in one go, and says what it does', async () => {
    const { code, said } = await run(['dist/local/hello.js', 'one', 'two words']);
    expect(said).toContain('installing the packages of package-lock.json');
    expect(said).toContain('compiling');
    expect(said).toContain('hello one two words');
    expect(code).toBe(3);
  });

  it('does nothing again that is done', async () => {
    await run(['dist/local/hello.js']);
    const { said } = await run(['dist/local/hello.js']);
    expect(said).toBe('hello\n');
    expect(installs()).toBe(1);
  });

  it('installs again when package-lock.json changes', async () => {
    await run([]);
    write('package-lock.json', '{ "packages": { "": {}, "node_modules/node": { "version": "24.0.1" } } }');
    await run([]);
    expect(installs()).toBe(2);
  });

  it('takes over what somebody installed with npm itself', async () => {
    cpSync(join(folder, 'prepared'), join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    write('node_modules/.package-lock.json', '{ "packages": { "node_modules/node": { "version": "24.0.0" } } }');
    await run([]);
    expect(installs()).toBe(0);
  });

  it('does not take over an installation of other versions', async () => {
    cpSync(join(folder, 'prepared'), join(folder, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    write('node_modules/.package-lock.json', '{ "packages": { "node_modules/node": { "version": "23.0.0" } } }');
    await run([]);
    expect(installs()).toBe(1);
  });

  it('installs once for two starts at once', async () => {
    const both = await Promise.all([run(['dist/local/hello.js']), run(['dist/local/hello.js'])]);
    expect(both.map(({ code }) => code)).toEqual([3, 3]);
    expect(installs()).toBe(1);
  });

  it('is not held up by the lock of a start that was killed', async () => {
    mkdirSync(join(folder, 'dist'));
    const { pid = 0 } = spawn('true');
    await until(() => !isAlive(pid));
    write('dist/.install.lock', String(pid));
    expect((await run(['dist/local/hello.js'])).code).toBe(3);
  });

  it('says what failed when npm fails, and leaves nothing half done', async () => {
    const { code, said } = await run(['dist/local/hello.js'], { NPM_FAILS: '1' });
    expect(code).toBe(1);
    expect(said).toContain('npm ci ended with 7');
    expect(said).not.toContain('    at ');
    expect((await run(['dist/local/hello.js'])).code).toBe(3);
  });

  it('asks for a newer npm in so many words', async () => {
    const { code, said } = await run([], { npm_config_user_agent: 'npm/9.1.0 node/v20.0.0' });
    expect(code).toBe(1);
    expect(said).toContain('npm 10 or newer is needed');
  });
});

describe('A program that is bundled', () => {
  beforeEach(() => {
    symlinkSync(join(root, 'node_modules/esbuild'), join(folder, 'prepared/esbuild'));
    write('prepared/words/package.json', '{ "main": "index.js", "types": "index.d.ts" }');
    write('prepared/words/index.js', 'exports.word = (() => () => "bundled")();');
    write('prepared/words/index.d.ts', 'export const word: () => string;');
    write('local/other.ts', 'export const other = "first";');
    write(
      'local/main.ts',
      `import { word } from 'words'; import { other } from './other.js'; declare const process: any;
       console.log(word(), other, process.argv[1].includes('programs'), (import.meta as any).url.endsWith('/dist/local/main.js'));`,
    );
    const options = {
      module: 'nodenext',
      target: 'es2024',
      outDir: 'dist',
      rootDir: '.',
      types: [],
      incremental: true,
    };
    const compilerOptions = { ...options, tsBuildInfoFile: 'dist/.tsbuildinfo' };
    write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['local'] }));
  });

  const says = async () => (await run(['dist/local/main.js'])).said.trimEnd().split('\n').at(-1);

  it('is run from its bundle and that of its packages, and never from one of other files', async () => {
    expect(await says()).toBe('bundled first true true');
    write('local/other.ts', 'export const other = "the second";');
    expect(await says()).toBe('bundled the second true true');
    // Somebody called the compiler.
    write('dist/local/other.js', 'export const other = "third";');
    write('dist/.tsbuildinfo', '{}');
    expect(await says()).toBe('bundled third true true');
  });

  it('begins with the code that Node made of its packages the last time, where that is whole and of these very packages', async () => {
    await says();
    const scripts = filesBelow('node_modules/.cache/packages');
    const script = scripts.find((path) => path.endsWith('/late.cjs')) ?? '';
    const kept = scripts.find((path) => /\/late\.local_main-\d+\.code$/.test(path)) ?? '';
    const [text, code] = [readFileSync(script, 'utf8'), readFileSync(kept)];
    const { ino } = statSync(kept);
    expect(await says()).toBe('bundled first true true');
    // It was taken: nobody made it anew.
    expect(statSync(kept).ino).toBe(ino);

    // V8 itself would run the old code.
    writeFileSync(script, text.replace('"bundled"', '"changed"'));
    expect(await says()).toBe('changed first true true');
    writeFileSync(script, text);
    for (const damaged of [flipped(code), code.subarray(0, code.length / 2)]) {
      writeFileSync(kept, damaged);
      expect(await says()).toBe('bundled first true true');
      expect(readFileSync(kept).equals(damaged)).toBe(false);
    }
  });

  function filesBelow(path: string): string[] {
    return readdirSync(join(folder, path), { recursive: true }).map((name) => join(folder, path, String(name)));
  }

  function flipped(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    const middle = copy.length >> 1;
    copy[middle] = (copy[middle] ?? 0) ^ 0xff;
    return copy;
  }
});

describe('Bundling', () => {
  beforeEach(() => {
    mkdirSync(join(folder, 'prepared/old'));
    write('prepared/old/package.json', '{ "name": "old" }');
    write('prepared/old/index.js', 'exports.where = __filename;');
    write('local/old.d.ts', "declare module 'old' { export const where: string; }");
    write('local/uses.ts', "import { where } from 'old';\nconsole.log(where);");
  });

  it('gives programs their packages from a bundle, as the packages that are installed now', async () => {
    symlinkSync(join(root, 'node_modules/esbuild'), join(folder, 'prepared/esbuild'));
    const first = await run(['dist/local/uses.js']);
    expect(first.said).toMatch(/node_modules\/\.cache\/packages\/\w+\/old\.mjs/);
    expect((await run(['dist/local/uses.js'])).said).toMatch(/^\/.*old\.mjs\n$/);

    write('prepared/old/index.js', 'exports.where = "the new one";');
    write('package-lock.json', '{ "packages": { "": {}, "node_modules/node": { "version": "24.0.1" } } }');
    expect((await run(['dist/local/uses.js'])).said).toMatch(/the new one\n$/);
  });

  it('leaves packages where Node finds them when there is no bundle, and says so', async () => {
    const { said } = await run(['dist/local/uses.js']);
    expect(said).toContain('the packages are not bundled');
    expect(said).toMatch(/node_modules\/old\/index\.js\n$/);
  });
});

describe('Building', () => {
  it('compiles again only what changed, and forgets what has no source any more', async () => {
    write('gateway/old.ts', 'export const old = 1;');
    await run([]);
    expect(existsSync(join(folder, 'dist/gateway/old.js'))).toBe(true);
    rmSync(join(folder, 'gateway/old.ts'));
    write('local/hello.ts', 'console.log("changed");');
    const { said } = await run(['dist/local/hello.js']);
    expect(said).toContain('changed');
    expect(existsSync(join(folder, 'dist/gateway/old.js'))).toBe(false);
  });

  it('runs nothing when the sources do not compile', async () => {
    write('local/hello.ts', 'const text: string = 1; console.log("ran");');
    const { code, said } = await run(['dist/local/hello.js']);
    expect(code).toBe(1);
    expect(said).toContain("Type 'number' is not assignable to type 'string'");
    expect(said).not.toContain('ran');
  });

  it('builds and starts again at each change when told to watch', async () => {
    const child = start(['--watch', 'dist/local/hello.js']);
    await until(() => child.said().includes('ended with 3'));
    write('local/hello.ts', 'console.log("second edition"); setInterval(() => undefined, 1_000);');
    await until(() => child.said().includes('second edition'));
    write('local/hello.ts', 'console.log("third edition"); setInterval(() => undefined, 1_000);');
    await until(() => child.said().includes('third edition'));
    child.kill('SIGTERM');
    await once(child, 'close');
  });
});

describe('The target', () => {
  const LONG = `
    import process from 'node:process';
    const end = (how) => { console.log('told by ' + how); process.exit(0); };
    process.on('SIGINT', () => end('SIGINT'));
    process.on('SIGTERM', () => end('SIGTERM'));
    process.on('disconnect', () => end('disconnect'));
    setInterval(() => undefined, 1_000);
    console.log('pid ' + process.pid);`;

  beforeEach(() => writeFileSync(join(folder, 'long.mjs'), LONG));

  async function started(child: { said: () => string }): Promise<number> {
    return Number(await until(() => /pid (\d+)/.exec(child.said())?.[1]));
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('is told of %s and may end in order', async (signal) => {
    const child = start(['long.mjs']);
    await started(child);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(child.said()).toContain(`told by ${signal}`);
  });

  it('does not outlive a bootstrap that is killed', async () => {
    const child = start(['long.mjs']);
    const pid = await started(child);
    child.kill('SIGKILL');
    await until(() => !isAlive(pid));
    expect(child.said()).toContain('told by disconnect');
  });

  it.each(['directly', 'through a shell'])('does not outlive an npm that started it %s and is killed', async (how) => {
    const command = `"${process.execPath}" "${join(folder, 'local/bootstrap.mjs')}" long.mjs`;
    // The last command of a line may take the shell's place; one that is followed by another may not.
    const line = how === 'directly' ? `exec ${command}` : `${command}; true`;
    const script = `require('node:child_process').spawn('sh', ['-c', ${JSON.stringify(line)}], { stdio: 'inherit' })`;
    const npm = spawn(process.execPath, ['-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        npm_execpath: join(folder, 'npm.mjs.js'),
        npm_config_user_agent: 'npm/11.0.0 node/v24.0.0',
        npm_lifecycle_event: 'start',
      },
    });
    let said = '';
    npm.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const pid = await started({ said: () => said });
    npm.kill('SIGKILL');
    await until(() => !isAlive(pid));
    expect(said).toContain('told by SIGTERM');
  });
});
