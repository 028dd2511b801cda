import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import type { EventBus } from '../../../subgraphs/kernel/event/event-bus.js';
import type { SubgraphResponse } from '../../../subgraphs/kernel/graphql/subgraph.js';
import { type MerchantId, newId } from '../../../subgraphs/kernel/id.js';
import { connectOutside, type Outside } from '../../../subgraphs/merchants/outside.js';
import { createMerchants, type MerchantsSubgraph } from '../../../subgraphs/merchants/subgraph.js';
import { configurationFor, merchantOf, TestNetwork } from '../../connectors/wechat-pay/network.fixture.js';
import { type Ask, asking, verifier } from '../../support/ask.js';
import { freshBus, migratedDatabase } from '../../support/database.migrated.js';
import { silent } from '../../support/logger.js';

export const noodles = {
  name: 'Chengdu Noodle House',
  localName: '成都小面馆',
  categoryCode: '5812',
  city: 'Chengdu',
  countryCode: 'CN',
};

/** A merchants subgraph with databases of its own, and the network behind a wire that a test can cut. */
export interface MerchantsWorld {
  readonly merchants: MerchantsSubgraph;
  readonly network: TestNetwork;
  readonly wire: Wire;
  readonly outside: Outside;
  readonly bus: EventBus;
  readonly url: string;
  readonly ask: Ask;
  /** The SQL statements since the last call. */
  statements(): string[];
  /** A registered merchant with a number that the network knows: the next free one where none is said. */
  merchant(networkMerchantId?: string): Promise<MerchantId>;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

export async function merchantsWorld(now: () => Date = () => new Date()): Promise<MerchantsWorld> {
  const network = await TestNetwork.start({ stores: manyStores }, now);
  const wire = await Wire.start(network);
  const configuration = configurationFor(wire.url, { now, deadlineMs: 1_000 });
  const outside = connectOutside({ wechatPay: configuration, notificationBaseUrl: network.receiver.url });
  const bus = await freshBus();
  const options = { verifier, logger: silent, bus, outside, now };
  const url = await migratedDatabase('merchants');
  let seen: string[] = [];
  const onStatement = (sql: string) => seen.push(sql);
  const merchants = await createMerchants({ ...options, databaseUrl: url, onStatement, poolSize: 5 });
  const database = new pg.Client({ connectionString: url });
  await database.connect();
  // The first store is for tests that must know its number.
  let next = 1;
  return {
    merchants,
    network,
    wire,
    outside,
    bus,
    url,
    ask: asking(merchants),
    statements: () => {
      const taken = seen;
      seen = [];
      return taken;
    },
    merchant: async (networkMerchantId = manyStores[next++]?.merchantId ?? '') => {
      const id = newId('mer', 'cn');
      const accounts = [{ network: 'WECHAT_PAY', networkMerchantId }] as const;
      await merchants.services.merchants.register({ id, ...noodles, accounts });
      return id;
    },
    sql: async (text, values) => (await database.query<Record<string, unknown>>(text, values)).rows,
    close: async () => {
      await database.end();
      await merchants.close();
      await bus.close();
      await outside.close();
      await wire.stop();
      await network.stop();
    },
  };
}

/** Stores of the network: the first ones are taken by `merchant()`, the last one is known to the network alone. */
export const strangersStore = {
  merchantId: '1690000000',
  name: 'Panda Bookshop',
  localName: '熊猫书店',
  categoryCode: '5942',
  city: 'Chengdu',
  codes: ['wxp://f2f0panda', 'wxp://f2f1panda'],
  scenario: 'ok',
};
const manyStores = [
  ...Array.from({ length: 80 }, (_, index) => ({
    merchantId: String(1_600_000_000 + index),
    name: `Store ${index}`,
    localName: '店',
    categoryCode: '5812',
    city: 'Chengdu',
    codes: [`wxp://store-${index}`],
    scenario: 'ok',
  })),
  strangersStore,
];
export const firstStore = merchantOf('ok');

/** What happens to calls to the network: they pass, never arrive, or arrive and their answer is lost. */
type Mode = 'PASS' | 'DOWN' | 'LOSE_ANSWER';

/** A wire between us and the network that a test can cut. Signatures cover path and body, so both pass untouched. */
export class Wire {
  mode: Mode = 'PASS';
  /** The paths of the calls that were made, in order. */
  readonly calls: string[] = [];

  private constructor(
    private readonly server: ReturnType<typeof createServer>,
    readonly url: string,
  ) {}

  static async start(network: TestNetwork): Promise<Wire> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const wire = new Wire(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
      // Fetching certificates is no call of ours.
      if (incoming.url !== '/v3/certificates') wire.calls.push(incoming.url ?? '');
      if (wire.mode === 'DOWN') return incoming.socket.destroy();
      const loses = wire.mode === 'LOSE_ANSWER';
      const target = new URL(incoming.url ?? '/', network.url);
      const outgoing = request(target, { method: incoming.method, headers: incoming.headers }, (answer) => {
        if (loses) {
          answer.resume();
          answer.on('end', () => incoming.socket.destroy());
        } else {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        }
      });
      incoming.pipe(outgoing);
    });
    return wire;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** `[code, details.reason]` of each error. */
export function reasonsOf(response: SubgraphResponse): unknown[] {
  return (response.errors ?? []).map(({ extensions }) => [
    extensions?.['code'],
    (extensions?.['details'] as { reason?: string } | undefined)?.reason,
  ]);
}
