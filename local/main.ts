import { join, resolve } from 'node:path';
import { ConfigurationError, readConfiguration, variable } from '../subgraphs/kernel/configuration.js';
import { banner } from './banner.js';
import { PortTaken } from './front.js';
import { FolderInUse, Machine } from './machine.js';
import { PostgresUnavailable } from './postgres.user.js';
import { developmentCodes } from './seed.codes.js';

// `npm start`: everything on one machine, until Ctrl+C.

/** After the first word to stop, how long the same word again is an echo: a terminal tells us and whoever started us. */
const ECHO_MS = 1_000;

process.env['LOG_LEVEL'] ??= 'warn';
process.env['APOLLO_TELEMETRY_DISABLED'] = 'true';

const starting = start();
let stoppingSince = 0;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
// The terminal was closed: whoever started us ends by it, and we by their end. With nohup nobody ends.
process.on('SIGHUP', () => undefined);
process.on('disconnect', stop);

async function start(): Promise<Machine> {
  const { HOST, PORT, DATA_DIR } = readConfiguration({
    HOST: variable.text().default('127.0.0.1'),
    PORT: variable.port(4000),
    DATA_DIR: variable.text().default('.data'),
  });
  return Machine.start({
    folder: resolve(DATA_DIR),
    host: HOST,
    port: PORT,
    environment: process.env,
    supergraph: join(import.meta.dirname, '..', '..', 'schema', 'supergraph.graphql'),
  });
}

function stop(): void {
  if (stoppingSince === 0) {
    stoppingSince = performance.now();
    starting.then((machine) => machine.stop()).then(() => process.exit(0), fail);
  } else if (performance.now() - stoppingSince > ECHO_MS) process.exit(1);
}

function fail(thrown: unknown): never {
  const expected = [ConfigurationError, FolderInUse, PortTaken, PostgresUnavailable].some(
    (kind) => thrown instanceof kind,
  );
  console.error(expected && thrown instanceof Error ? `sojourn: ${thrown.message}` : thrown);
  process.exit(1);
}

try {
  const { url, tokens } = await starting;
  const [code] = developmentCodes;
  const shown = { payload: code?.payload ?? '', title: code?.name ?? '' };
  console.log(banner({ url, tokens, code: shown, startedInMs: Date.now() - performance.timeOrigin }));
  if (process.connected) process.send?.({ url });
} catch (thrown) {
  fail(thrown);
}
