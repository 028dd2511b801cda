import { LegacyFakeTimers, ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';

/**
 * Where test files run: in the worker's own realm instead of one of their own, because the packages that
 * `shared-runtime` keeps live there, and know an `Error` or a `String` by its constructor. What a file leaves behind in
 * the globals, the environment and on `process` goes with it.
 */
export default class SharedEnvironment {
  global = globalThis;
  moduleMocker = new ModuleMocker(globalThis);
  #before = remember();

  constructor({ projectConfig }) {
    const timerConfig = { idToRef: (id) => id, refToId: (timer) => timer };
    this.fakeTimers = new LegacyFakeTimers({
      config: projectConfig,
      global: globalThis,
      moduleMocker: this.moduleMocker,
      timerConfig,
    });
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
  }

  async setup() {}

  async teardown() {
    this.fakeTimers.dispose();
    this.fakeTimersModern.dispose();
    restore(this.#before);
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  /** Jest asks for it before it measures coverage; `shared-runtime` never compiles in it. */
  getVmContext() {
    return null;
  }
}

function remember() {
  return {
    globals: Object.getOwnPropertyDescriptors(globalThis),
    exit: process.exit,
    environment: { ...process.env },
    listeners: process.eventNames().map((name) => [name, process.rawListeners(name)]),
  };
}

function restore({ globals, exit, environment, listeners }) {
  // What cannot be deleted is a package's that Node keeps, as is the package.
  for (const key of Reflect.ownKeys(globalThis)) if (!(key in globals)) Reflect.deleteProperty(globalThis, key);
  for (const key of Reflect.ownKeys(globals)) put(key, globals[key]);
  process.exit = exit;
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  const known = new Map(listeners);
  for (const name of process.eventNames())
    for (const listener of process.rawListeners(name))
      if (!known.get(name)?.includes(listener)) process.removeListener(name, listener);
}

function put(key, descriptor) {
  const now = Object.getOwnPropertyDescriptor(globalThis, key);
  // A getter that replaces itself when it is first asked is no change.
  if (now && 'value' in descriptor && now.value !== descriptor.value)
    Object.defineProperty(globalThis, key, descriptor);
}
