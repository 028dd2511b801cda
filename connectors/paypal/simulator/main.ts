import { simulatorOptions } from './simulator.configuration.js';
import { startSimulator } from './simulator.js';

/** PayPal's side as a process of its own. */
const starting = startSimulator({
  ...simulatorOptions(process.env),
  onFailure: (thrown) => {
    process.stderr.write(`The books cannot be written: ${String(thrown)}\n`);
    process.exit(1);
  },
});

let stopping = false;
function stop(): void {
  if (stopping) return;
  stopping = true;
  void starting
    .then((simulator) => simulator.close())
    .then(
      () => process.exit(0),
      () => process.exit(1),
    );
}

process.on('SIGINT', stop);
process.on('SIGTERM', stop);
// Started by another process of ours, it goes with that one, however and however early that one goes.
process.on('disconnect', stop);
if (process.connected === false) stop();

const { url } = await starting;
process.stdout.write(`listening on ${url}\n`);
if (process.connected) process.send?.({ url });
