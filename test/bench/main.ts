import { join } from 'node:path';
import { benchEvents } from './events.bench.js';
import { printMachine } from './figures.js';
import { benchGateway } from './gateway.bench.js';
import { Lab } from './lab.js';
import { benchPayments, fillHistories } from './payments.bench.js';
import { Service } from './service.js';

// `npm run bench`: about a minute and a half. Each figure stands beside a baseline that was taken in the same run.

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PAGE = 10;

process.env['LOG_LEVEL'] = 'warn';
printMachine();
const lab = await Lab.open();
try {
  const graph = await Service.start('local/main.js', {
    ...lab.environment,
    DATA_DIR: lab.folder,
    PORT: String(lab.port),
    LOG_LEVEL: 'warn',
  });
  try {
    await benchPayments(lab, graph.url);
    await benchEvents(lab, graph.url);
    await fillHistories(lab, graph.url, PAGE);
  } finally {
    await graph.stop();
  }
  await benchGateway(lab, ROOT);
} finally {
  await lab.close();
}
