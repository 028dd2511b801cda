import cluster from 'node:cluster';
import { ConfigurationError, type Environment } from '../subgraphs/kernel/configuration.js';
import { createLogger } from '../subgraphs/kernel/telemetry.js';
import { HELP, readCommandLine } from './command-line.js';
import { readGatewayConfiguration } from './configuration.js';

// The gateway alone: from the command line, and where that says nothing, from the environment.
try {
  const line = readCommandLine(process.argv.slice(2), process.env['INIT_CWD']);
  if (line.help) process.stdout.write(HELP);
  else await serve({ ...process.env, ...line.environment }, line.urls);
} catch (thrown) {
  if (!(thrown instanceof ConfigurationError)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  process.exitCode = 1;
  cluster.worker?.disconnect();
}

async function serve(environment: Environment, urls: Readonly<Record<string, string>>): Promise<void> {
  const configuration = readGatewayConfiguration(environment, urls);
  const logger = createLogger('gateway');
  // Each loads only what it needs: a supervisor is small.
  if (configuration.workers > 1 && cluster.isPrimary) {
    const { superviseWorkers } = await import('./service.workers.js');
    process.exitCode = await superviseWorkers(configuration.workers, logger);
  } else {
    const { runService } = await import('./service.process.js');
    await runService(configuration, environment, logger);
  }
}
