import { setPriority } from 'node:os';
import { printMachine } from '../figures.js';
import { benchCeiling } from './ceiling.bench.js';
import { describeCores } from './cores.js';
import { benchDocuments } from './documents.bench.js';
import { readOptions, USAGE } from './options.js';
import { Figures } from './report.js';
import { benchRequests } from './requests.bench.js';
import { Stage, versions } from './stage.js';
import { benchSubscribers } from './subscribers.bench.js';

// `npm run bench:gateway`: our gateway beside others, each on one core, with subgraphs that answer at once.

process.env['LOG_LEVEL'] = 'error';
const options = readOptions(process.argv.slice(2));
if (!options) console.log(USAGE);
else {
  // Whatever is started from here inherits it.
  if (options.nice !== null) setPriority(options.nice);
  printMachine();
  const stage = await Stage.set(options);
  const figures = new Figures();
  try {
    console.log(describeCores(stage.cores));
    console.log(versions());
    console.log(options.signedIn ? 'Every request carries a signed token.' : 'Nobody is signed in.');
    if (options.shapes.length > 0) {
      for (const rows of [3, 100]) await benchCeiling(stage, rows);
      await benchRequests(stage, figures);
    }
    if (options.parts.includes('documents')) await benchDocuments(stage, figures);
    if (options.parts.includes('subscribers')) await benchSubscribers(stage, figures);
  } finally {
    await stage.strike();
  }
  if (options.json) figures.write(options.json, { date: new Date().toISOString(), node: process.version, options });
}
