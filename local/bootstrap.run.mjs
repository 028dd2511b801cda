import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { PINNED_NODE } from './bootstrap.install.mjs';
import { commandOf } from './bootstrap.programs.mjs';
import { ROOT, say } from './bootstrap.words.mjs';

// Not SIGHUP: it ends us unless `nohup` said otherwise, and the target notices by its channel.
const SIGNALS = ['SIGINT', 'SIGTERM'];
const PARENT_POLL_MS = 250;
const LAST_RESORT_MS = 30_000;

/**
 * The target as a child on the pinned Node: every signal is handed down, its exit code handed up. The IPC channel
 * tells it of our death, even of a SIGKILL; the poll tells us of npm's.
 */
export class Target {
  constructor(file, args, { restarts = false } = {}) {
    this.file = join(ROOT, file);
    this.args = args;
    this.restarts = restarts;
    this.ending = false;
    for (const signal of SIGNALS) process.on(signal, () => this.end(signal));
    if (process.env.npm_lifecycle_event) this.endWith(ancestors());
  }

  start() {
    // Anew each time: a change that we waited for has another bundle.
    const command = isProgram(this.file) ? commandOf(this.file) : [this.file];
    const child = spawn(PINNED_NODE, [...command, ...this.args], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...compileCache(this.file) },
    });
    this.child = child;
    this.gone = new Promise((resolve) => child.once('exit', resolve));
    child.once('exit', (code, signal) => this.exited(code ?? 128 + constants.signals[signal]));
  }

  /** Ends the present child and starts another one. */
  async restart() {
    this.replacing = true;
    this.child.kill('SIGTERM');
    await this.gone;
    this.replacing = false;
    if (!this.ending) this.start();
  }

  exited(code) {
    if (this.replacing && !this.ending) return;
    if (!this.restarts || this.ending) process.exit(code);
    say(`ended with ${code}, waiting for a change`);
  }

  end(signal) {
    this.ending = true;
    // Ended by itself while we wait for a change.
    if (this.child.exitCode !== null || this.child.signalCode !== null) process.exit(0);
    this.child.kill(signal);
  }

  endWith(those) {
    const poll = setInterval(() => {
      if (ancestors() === those) return;
      clearInterval(poll);
      this.end('SIGTERM');
      setTimeout(() => this.child.kill('SIGKILL'), LAST_RESORT_MS);
    }, PARENT_POLL_MS);
  }
}

/** Our parent and its parent: between npm and us there may be a shell, which outlives npm as long as we do. */
function ancestors() {
  try {
    // The fourth field; the second one, the program's name, may hold blanks and parentheses.
    const [, parentOfParent] = readFileSync(`/proc/${process.ppid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    return `${process.ppid} ${parentOfParent}`;
  } catch {
    // No such file system: there the shell makes way for the last command of its line.
    return String(process.ppid);
  }
}

/** Benchmarks also load what they compare us with, which has packages in common with us. */
function isProgram(file) {
  return isCompiled(file) && !file.startsWith(join(ROOT, 'dist', 'test'));
}

function isCompiled(file) {
  return file.startsWith(join(ROOT, 'dist'));
}

/** Node keeps what it compiled: a warm start is half a second faster. Not for jest, which loads modules its own way. */
function compileCache(file) {
  if (!isCompiled(file)) return {};
  return { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(ROOT, 'node_modules', '.cache', 'compiled') };
}
