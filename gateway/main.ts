import { ConfigurationError } from '../subgraphs/kernel/configuration.js';
import { createLogger, createMetrics } from '../subgraphs/kernel/telemetry.js';
import { HELP, readCommandLine } from './command-line.js';
import { readGatewayConfiguration } from './configuration.js';
import { startService } from './service.js';
import { stopOnSignals } from './service.signals.js';

// The gateway alone: from the command line, and where that says nothing, from the environment.
const logger = createLogger('gateway');
try {
  const line = readCommandLine(process.argv.slice(2), process.env['INIT_CWD']);
  if (line.help) process.stdout.write(HELP);
  else await serve({ ...process.env, ...line.environment }, line.urls);
} catch (thrown) {
  if (!(thrown instanceof ConfigurationError)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  process.exitCode = 1;
}

async function serve(environment: NodeJS.ProcessEnv, urls: Readonly<Record<string, string>>): Promise<void> {
  const configuration = readGatewayConfiguration(environment, urls);
  const service = await startService({ configuration, environment, logger, metrics: createMetrics() });
  stopOnSignals(() => service.stop(), logger);
}
