import { rmSync } from 'node:fs';

export default async function () {
  const { server, folder } = globalThis.__POSTGRES__;
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
