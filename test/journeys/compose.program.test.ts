import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { DemoClient, type Operation } from '../../local/demo.client.js';
import * as operations from '../../local/demo.operations.js';
import { paypalSimulatorEnvironment, wechatPaySimulatorEnvironment } from '../../local/environment.js';
import { freePort } from '../../local/running.js';
import { newSecrets } from '../../local/secrets.js';
import { maya } from '../../local/seed.identities.js';
import { type ComposeService, layOutImage, readCompose, readDockerfile } from '../support/compose.js';
import { NatsServer, natsBinary, natsMissing } from '../support/nats.js';
import { noProcessNames, Program } from '../support/processes.js';
import { eventually } from '../support/shopping.js';
import { root, sourcesIn } from '../support/sources.js';

const { services, volumes } = readCompose();
const ours = Object.entries(services).filter(([, service]) => service.build);
const NAMES = ['gateway', 'users', 'merchants', 'payments', 'fx', 'development', 'paypal', 'wechat-pay'];

/** Of a payment that goes well. */
const EVENTS = ['CONFIRMED', 'AUTHORIZED', 'SUBMITTED', 'PAID', 'COMPLETED'];
const status: Operation<{ payment: { status: string } }> = {
  query: 'query Status($id: ID!) { payment(id: $id) { status } }',
  answer: z.object({ payment: z.object({ status: z.string() }) }),
};

/** Its client comes again. */
function unlessInterrupted(thrown: unknown): null {
  if (!String(thrown).includes('STREAM_INTERRUPTED')) throw thrown;
  return null;
}

describe('docker-compose.yml', () => {
  it('runs every part as a process of its own, beside PostgreSQL and NATS', () => {
    expect(ours.map(([name]) => name)).toEqual(NAMES);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(['postgres', 'nats']));
    for (const [name, { command, read_only, tmpfs }] of ours) {
      expect(command?.slice(0, 1)).toEqual(['node']);
      expect({ name, read_only, tmpfs }).toEqual({ name, read_only: true, tmpfs: ['/tmp'] });
    }
  });

  it('waits only for services that say whether they are well, and keeps what they write in volumes of its own', () => {
    for (const [name, { healthcheck, depends_on }] of Object.entries(services)) {
      expect({ name, says: healthcheck !== undefined }).toEqual({ name, says: true });
      for (const { condition } of Object.values(depends_on)) expect(condition).toBe('service_healthy');
      expect(Object.keys(services)).toEqual(expect.arrayContaining(Object.keys(depends_on)));
    }
    const mounted = Object.values(services).flatMap((service) => service.volumes.map((volume) => volume.split(':')[0]));
    expect(mounted.toSorted()).toEqual(Object.keys(volumes).toSorted());
    // The server that creates the database answers on its socket alone, and then goes away.
    expect(services['postgres']?.healthcheck?.test).toEqual(expect.arrayContaining(['pg_isready', '--host']));
    expect(services['nats']?.command).toEqual(expect.arrayContaining(['--http_port', '8222']));
  });

  it('opens ports to this machine only, and none of a subgraph, a database or a simulator', () => {
    const open = Object.entries(services).filter(([, { ports }]) => ports.length > 0);
    expect(open.map(([name]) => name)).toEqual(['gateway', 'development']);
    for (const [, { ports }] of open) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('tells each network to speak to the very service that listens for it', () => {
    for (const name of ['merchants', 'payments']) {
      const { PORT, NOTIFICATION_BASE_URL } = services[name]?.environment ?? {};
      expect(NOTIFICATION_BASE_URL).toBe(`http://${name}:${PORT}`);
    }
  });

  it('tells the simulators of the same wallets, shops and scenarios as npm start does', async () => {
    const secrets = await newSecrets();
    const { PAYPAL_WALLETS, PAYPAL_SCENARIOS } = paypalSimulatorEnvironment(secrets, 'http://payments:4003');
    expect(services['paypal']?.environment).toMatchObject({ PAYPAL_WALLETS, PAYPAL_SCENARIOS });
    const { WECHAT_PAY_STORES } = wechatPaySimulatorEnvironment(secrets);
    expect(services['wechat-pay']?.environment).toMatchObject({ WECHAT_PAY_STORES });
  });

  it('gives no service the private key of another', () => {
    const holders = (name: string) =>
      ours.filter(([, { environment }]) => environment[name]).map(([service]) => service);
    expect(holders('INTERNAL_SIGNING_KEY')).toEqual(['gateway', 'payments']);
    expect(services['gateway']?.environment['INTERNAL_SIGNING_KEY']).not.toBe(
      services['payments']?.environment['INTERNAL_SIGNING_KEY'],
    );
    expect(holders('PAYPAL_CLIENT_SECRET')).toEqual(['payments', 'paypal']);
    expect(holders('PERSONAL_DATA_KEY')).toEqual(['users', 'development']);
    expect(holders('WECHAT_PAY_PLATFORM_PRIVATE_KEY')).toEqual(['wechat-pay']);
  });
});

describe('The Dockerfile', () => {
  it('builds on the Node.js that everything else runs on', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: { node: string };
    };
    const bases = [...readDockerfile().matchAll(/^FROM (\S+:\S+)/gm)].map(([, base]) => base);
    expect(new Set(bases)).toEqual(new Set([`node:${dependencies.node}-bookworm-slim`]));
  });

  it('makes no image that needs a package for development only', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: object;
    };
    const shipped = sourcesIn('gateway', 'subgraphs', 'connectors', 'local');
    const needed = shipped.flatMap(({ path, imports }) => imports.map((name) => ({ path, name })));
    const isForDevelopment = (name: string) =>
      Object.keys(devDependencies).some((known) => name === known || name.startsWith(`${known}/`));
    expect(needed.length).toBeGreaterThan(0);
    expect(needed.filter(({ name }) => isForDevelopment(name))).toEqual([]);
  });
});

// The reason is part of the name: it is what a reader of a skipped test sees.
const journey = natsBinary ? describe : describe.skip;
const title = natsBinary ? 'The services of docker-compose.yml' : `The services of docker-compose.yml (${natsMissing})`;

journey(title, () => {
  const programs = new Map<string, Program>();
  const addresses = new Map<string, string>();
  let folder: string;
  let nats: NatsServer;

  /** Host names become loopback and free ports; nothing else of the file is touched. */
  function placed(text: string): string {
    return text.replace(/\b([a-z-]+):(\d{4})\b/g, (whole, name: string) => addresses.get(name) ?? whole);
  }

  function environmentOf(name: string, { environment, volumes }: ComposeService): Record<string, string> {
    const entries = Object.entries(environment).map(([key, value]) => [key, placed(value)]);
    const [, port = ''] = addresses.get(name)?.split(':') ?? [];
    return {
      ...Object.fromEntries(entries),
      HOST: '127.0.0.1',
      PORT: port,
      ...(environment['DATABASE_URL'] && { DATABASE_URL: database }),
      ...(volumes.length > 0 && { BOOKS_DIR: join(folder, 'books', name) }),
      // Marks its process, so that one that is left behind is found.
      COMPOSE_TEST: folder,
    };
  }

  const database = (() => {
    const url = new URL(process.env['TEST_DATABASE_URL'] ?? 'postgres://localhost');
    url.pathname = `/compose_${randomBytes(4).toString('hex')}`;
    return url.href;
  })();

  function urlOf(name: string): string {
    return `http://${addresses.get(name)}`;
  }

  async function ready(name: string, path: string): Promise<void> {
    for (let waited = 0; waited < 45_000; waited += 50) {
      const program = programs.get(name);
      if (program?.hasEnded) throw new Error(`${name} ended:\n${program.said}`);
      const answer = await fetch(`${urlOf(name)}${path}`, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
      if (answer?.ok) return;
      await delay(50);
    }
    throw new Error(`${name} is not ready:\n${programs.get(name)?.said}`);
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sojourn-compose-'));
    nats = await NatsServer.start();
    addresses.set('nats', `127.0.0.1:${nats.port}`);
    for (const [name] of ours) addresses.set(name, `127.0.0.1:${await freePort()}`);
    for (const target of ['services', 'development']) layOutImage(target, join(folder, target));
    for (const [name, service] of ours) {
      mkdirSync(join(folder, 'books', name), { recursive: true });
      const [, ...command] = service.command ?? [];
      const image = join(folder, service.build?.target ?? '');
      programs.set(name, Program.spawn(process.execPath, command, environmentOf(name, service), image));
    }
    await Promise.all(
      NAMES.map((name) => ready(name, name in { paypal: 1, 'wechat-pay': 1 } ? '/health' : '/health/ready')),
    );
  }, 90_000);

  afterAll(async () => {
    await Promise.all([...programs.values()].map((program) => program.end('SIGKILL')));
    await nats?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function shown<Shown>(path: string, shape: z.ZodType<Shown>): Promise<Shown> {
    return shape.parse(await (await fetch(`${urlOf('development')}${path}`)).json());
  }

  async function appOf(kind: 'traveler' | 'merchant'): Promise<DemoClient> {
    const tokens = await shown('/dev/tokens', z.record(z.string(), z.string()));
    return new DemoClient(urlOf('gateway'), tokens[kind] ?? '');
  }

  /** @returns the id of the payment */
  async function pay(traveler: DemoClient): Promise<string> {
    const codes = await shown('/dev/codes', z.array(z.object({ payload: z.string(), scenario: z.string() })));
    const { startCheckout } = await traveler.ask(operations.startCheckout, {
      input: {
        code: codes.find(({ scenario }) => scenario === 'ok')?.payload,
        amount: { amount: '120.50', currencyCode: 'CNY' },
        walletId: maya.walletId,
        idempotencyKey: randomUUID(),
      },
    });
    const { confirmCheckout } = await traveler.ask(operations.confirmCheckout, {
      input: { checkoutId: startCheckout.checkout.id, idempotencyKey: randomUUID() },
    });
    return confirmCheckout.payment.id;
  }

  /** All that a subscriber is told of a payment, until its end. */
  async function eventsOf(traveler: DemoClient, paymentId: string): Promise<string[]> {
    const seen: string[] = [];
    for await (const { paymentEvents } of traveler.watch(operations.paymentEvents, { paymentId })) {
      seen.push(paymentEvents.type);
      if (paymentEvents.terminal) break;
    }
    return seen;
  }

  it('carry a payment to its end over HTTP, seen live by the traveler, and a refund', async () => {
    const [traveler, merchant] = await Promise.all([appOf('traveler'), appOf('merchant')]);
    const paymentId = await pay(traveler);
    expect(await eventsOf(traveler, paymentId)).toEqual(EVENTS);

    const amount = { amount: '20.50', currencyCode: 'CNY' };
    await merchant.ask(operations.refundPayment, {
      input: { paymentId, amount, reason: 'too salty', idempotencyKey: randomUUID() },
    });
    for await (const { paymentEvents } of traveler.watch(operations.paymentEvents, { paymentId }))
      if (paymentEvents.type === 'REFUNDED') break;
    expect(await shown('/dev/books', z.unknown())).toMatchObject({
      paypal: {
        captures: [{ paymentId, status: 'PARTIALLY_REFUNDED' }],
        refunds: [{ paymentId, status: 'COMPLETED' }],
      },
      wechatPay: {
        transactions: [{ paymentId, amount: '120.50' }],
        refunds: [{ paymentId, amount: '20.50', currency: 'CNY' }],
      },
    });
  });

  it('pay on while NATS is away, and tell all of it in order when it is back', async () => {
    const traveler = await appOf('traveler');
    await nats.kill();
    const paymentIds = [await pay(traveler), await pay(traveler)];
    for (const id of paymentIds)
      await eventually(30_000, 'the payment to be over', async () => {
        const { payment } = await traveler.ask(status, { id });
        return payment.status === 'COMPLETED' ? true : null;
      });
    await expect(eventsOf(traveler, paymentIds[0] ?? '')).rejects.toThrow('STREAM_INTERRUPTED');
    await nats.resume();
    for (const id of paymentIds) {
      const events = await eventually(30_000, 'the bus', () => eventsOf(traveler, id).catch(unlessInterrupted));
      expect(events).toEqual(EVENTS);
    }
  });

  it('are ready each for itself, and refuse whoever does not come through the gateway', async () => {
    for (const name of ['users', 'merchants', 'payments', 'fx']) {
      const answer = await fetch(`${urlOf(name)}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ __typename }' }),
      });
      expect({ name, body: await answer.text() }).toEqual({ name, body: expect.stringContaining('UNAUTHENTICATED') });
    }
  });

  it('stop in order when they are told to', async () => {
    const codes = await Promise.all([...programs].map(async ([name, program]) => [name, await program.end('SIGTERM')]));
    expect(Object.fromEntries(codes)).toEqual(Object.fromEntries(NAMES.map((name) => [name, 0])));
    await noProcessNames(folder);
  });
});
