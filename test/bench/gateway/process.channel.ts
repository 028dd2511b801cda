import type { AddressInfo, Server } from 'node:net';

/** For programs of the benchmark that run as processes of their own: how they speak to the one that started them. */
export function tell(message: object): void {
  process.send?.(message);
}

/** Starts to listen on a free port. @returns the address */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers the parent's requests by name. They may overlap: one can end another. */
export function onAsk(answers: Readonly<Record<string, (request: never) => unknown>>): void {
  process.on('message', async (message) => {
    const request = message as { ask?: string; id: number };
    const answer = answers[request.ask ?? ''];
    if (!answer) return;
    try {
      tell({ id: request.id, answer: (await answer(request as never)) ?? null });
    } catch (thrown) {
      tell({ id: request.id, failure: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) });
    }
  });
}

// Through exit, not by the signal: a profile that was asked for is written on the way.
process.on('SIGTERM', () => process.exit(0));
process.on('disconnect', () => process.exit(0));
