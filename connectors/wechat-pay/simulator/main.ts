import { messageOf } from '../../../subgraphs/kernel/error.js';
import { readSettings } from './settings.js';
import { startSimulator } from './simulator.js';

const simulator = await startSimulator(readSettings(process.env)).catch((thrown) => {
  console.error(messageOf(thrown));
  process.exit(1);
});

let isStopping = false;
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const failure = await simulator.stop().catch((thrown) => messageOf(thrown));
  if (failure) console.error(failure);
  process.exit(failure ? 1 : 0);
}

process.on('SIGINT', stop);
process.on('SIGTERM', stop);
// The parent is gone: nobody would stop us any more.
process.on('disconnect', stop);

console.log(`listening on ${simulator.url}`);
process.send?.({ url: simulator.url });
