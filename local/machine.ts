import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { lockFolder } from '../connectors/simulator/folder-lock.js';
import type { Environment } from '../subgraphs/kernel/configuration.js';
import { openDatabases } from './databases.js';
import { developmentRoutes } from './development.routes.js';
import { paypalSimulatorEnvironment, serviceEnvironment, wechatPaySimulatorEnvironment } from './environment.js';
import { Front } from './front.js';
import { secretsIn } from './secrets.js';
import { developmentCodes } from './seed.codes.js';
import { identities } from './seed.identities.js';
import { elsewhere, type OutsideSystem, Simulator, type SimulatorName } from './simulators.js';
import { DevelopmentIssuer, issueAll } from './tokens.js';

export interface MachineOptions {
  /** Holds databases, secrets and books. */
  readonly folder: string;
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly environment: Environment;
  /** The supergraph file. */
  readonly supergraph: string;
}

const NOTICE_MS = 500;

/** Thrown when another start already uses the folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

/** The whole of it on one machine: databases, outside systems, subgraphs, gateway, development pages. */
export class Machine {
  private constructor(
    readonly url: string,
    /** One bearer token for each seeded identity. */
    readonly tokens: Readonly<Record<keyof typeof identities, string>>,
    private readonly front: Front,
    private readonly stack: AsyncDisposableStack,
  ) {}

  /** Ready when it returns. @throws FolderInUse, PortTaken, PostgresUnavailable, ConfigurationError */
  static async start(options: MachineOptions): Promise<Machine> {
    await using stack = new AsyncDisposableStack();
    const { folder, environment } = options;
    stack.defer(await onlyOneIn(folder));
    const front = await Front.listen(options.port, options.host);
    stack.defer(() => front.close());
    const secrets = await secretsIn(join(folder, 'secrets.json'));
    const waiting = Promise.withResolvers<void>();
    const opening = openDatabases(folder, environment, waiting.resolve);
    stack.defer(() => opening.then((databases) => databases.stop(), ignore));
    const [paypal, wechatPay] = await Promise.all([
      outside('paypal', options, environment['PAYPAL_BASE_URL'], paypalSimulatorEnvironment(secrets, front.url)),
      outside('wechat-pay', options, environment['WECHAT_PAY_BASE_URL'], wechatPaySimulatorEnvironment(secrets)),
    ]);
    for (const system of [paypal, wechatPay]) stack.defer(() => system.stop());
    // The heavy half of the program is read from the disk while PostgreSQL starts, and not before it is told to. Then the
    // outside systems have the other processor: all at once would wait for each other.
    const reading = Promise.race([waiting.promise, opening]).then(readPackages);
    const playing = reading.then(() => Promise.all([paypal.start(), wechatPay.start()]));
    const queueing = reading.then(() => import('./queue.js'));
    const loading = queueing.then(loadGraph);
    // Where something else fails first, nobody asks for them.
    for (const each of [playing, loading]) each.catch(ignore);
    const databases = await opening;
    const told = { ...environment, ...databases.environment };
    const { startingQueue } = await queueing;
    const jobs = startingQueue(told);
    stack.defer(() => jobs.stop());
    const issuer = await DevelopmentIssuer.create(`${front.url}/dev`, secrets.issuer);
    const { Graph } = await loading;
    const places = { notifications: front.url, paypal: paypal.url, wechatPay: wechatPay.url };
    const graph = await Graph.start({
      environment: serviceEnvironment(secrets, places, told),
      secrets,
      issuer,
      supergraph: options.supergraph,
      outside: playing,
      jobs,
    });
    stack.defer(() => graph.close());
    const tokens = await issueAll(issuer, identities);
    const books = async () => ({ paypal: await paypal.books(), wechatPay: await wechatPay.books() });
    const pages = developmentRoutes({ tokens, codes: developmentCodes, keys: issuer.jwks(), books });
    front.open(graph.answering(pages));
    return new Machine(front.url, tokens, front, stack.move());
  }

  /** Lets what is under way finish, then stops all of it, the databases last. */
  async stop(): Promise<void> {
    await this.front.close();
    await this.stack.disposeAsync();
  }
}

/** All packages are in one large script, which the first of them reads. */
async function readPackages(): Promise<void> {
  await import('graphql');
  await turn();
}

/** The packages that take longest to load. */
const heavy: readonly (() => Promise<unknown>)[] = [
  () => import('@mikro-orm/core'),
  () => import('@mikro-orm/postgresql'),
  () => import('@apollo/federation-internals'),
  () => import('@apollo/server'),
  () => import('undici'),
  () => import('reflect-metadata'),
  () => import('type-graphql'),
];

/** In parts: in between, what PostgreSQL says is heard and answered. */
async function loadGraph(): Promise<typeof import('./graph.js')> {
  for (const load of heavy) {
    await load();
    await turn();
  }
  await import('../gateway/gateway.js');
  await turn();
  return import('./graph.js');
}

/** Waits a little for a start that is about to end. */
async function onlyOneIn(folder: string): Promise<() => Promise<void>> {
  const notice = setTimeout(
    () => process.stderr.write(`sojourn: waiting for another start in ${folder} to end\n`),
    NOTICE_MS,
  );
  try {
    return await lockFolder(folder);
  } catch (thrown) {
    const error = new FolderInUse(
      `Another start of Sojourn uses ${folder}. Stop it, or choose another folder: DATA_DIR=… npm start`,
    );
    error.cause = thrown;
    throw error;
  } finally {
    clearTimeout(notice);
  }
}

function outside(
  name: SimulatorName,
  { folder }: MachineOptions,
  url: string | undefined,
  environment: Environment,
): Promise<OutsideSystem> {
  return url ? Promise.resolve(elsewhere(url)) : Simulator.prepare(name, join(folder, 'books', name), environment);
}

/** For what is told elsewhere. */
function ignore(): void {}
