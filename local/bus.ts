import type { EventBus } from '../subgraphs/kernel/event/event-bus.js';

/** A bus that is still being opened: whoever asks something of it waits until it is, or is told why it is not. */
export function onceOpen(opening: Promise<EventBus>): EventBus {
  return {
    publish: async (events) => (await opening).publish(events),
    subscribe: async (subject, start) => (await opening).subscribe(subject, start),
    follow: async (subject, follower) => (await opening).follow(subject, follower),
    past: async (subject, start) => (await opening).past(subject, start),
    consume: async (name, prefix, react) => (await opening).consume(name, prefix, react),
    ready: async () => (await opening).ready(),
    close: async () => (await opening).close(),
  };
}
