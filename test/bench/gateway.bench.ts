import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import autocannon from 'autocannon';
import type { Environment } from '../../subgraphs/kernel/configuration.js';
import { ms, printRow, printTitle, ratio } from './figures.js';
import type { Lab } from './lab.js';
import { Service } from './service.js';

const CONNECTIONS = 16;
const ROUND_SECONDS = 5;
/** The two take turns, so that whatever else the machine does meets both. */
const ROUNDS = 2;

/** TravelerHistory: a page of ten payments, each with its merchant and quote, over HTTP to four subgraphs. */
export async function benchGateway(lab: Lab, root: string): Promise<void> {
  printTitle(
    `Gateway, TravelerHistory (page of 10 with merchant and quote), ${CONNECTIONS} connections, subgraphs over HTTP`,
  );
  await using stack = new AsyncDisposableStack();
  const urls = await startSubgraphs(lab, stack);
  const query = await readFile(join(root, 'schema', 'operations', 'traveler-history.graphql'), 'utf8');
  const requests = lab.travelers.map(({ token }) => ({
    method: 'POST' as const,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables: { first: 10 } }),
  }));
  const gateways = new Map<string, Service>();
  for (const engine of ['apollo', 'ours']) {
    const gateway = await Service.start('test/bench/gateway.process.js', gatewayEnvironment(lab, root, urls, engine));
    stack.defer(() => gateway.stop());
    gateways.set(engine, gateway);
  }
  await compareAnswers([...gateways.values()], requests);
  const results = new Map<string, { average: number; p50: number; p99: number }[]>();
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, { url }] of gateways) {
      const result = await autocannon({
        url: `${url}/graphql`,
        connections: CONNECTIONS,
        duration: ROUND_SECONDS,
        requests,
      });
      if (result.non2xx + result.errors + result.timeouts > 0) throw new Error(`${name}: not every answer was one`);
      const { p50, p99 } = result.latency;
      results.set(name, [...(results.get(name) ?? []), { average: result.requests.average, p50, p99 }]);
    }
  const best = (name: string) => (results.get(name) ?? []).toSorted((a, b) => b.average - a.average)[0];
  const [ours, baseline] = [best('ours'), best('apollo')];
  if (!ours || !baseline) throw new Error('nothing was measured');
  printRow(
    'our engine',
    `${ours.average.toFixed(0)}/s`,
    `p50 ${ms(ours.p50)}`,
    `p99 ${ms(ours.p99)}`,
    ratio(ours.average, baseline.average),
  );
  printRow(
    '  baseline: @apollo/gateway on Apollo Server',
    `${baseline.average.toFixed(0)}/s`,
    `p50 ${ms(baseline.p50)}`,
    `p99 ${ms(baseline.p99)}`,
    ratio(1, 1),
  );
}

async function startSubgraphs(lab: Lab, stack: AsyncDisposableStack): Promise<Record<string, string>> {
  const urls: Record<string, string> = {};
  // payments last: it is told where the others are.
  for (const name of ['users', 'merchants', 'fx', 'payments'] as const) {
    const own = Object.entries(urls).map(([other, url]) => [`SUBGRAPH_URL_${other.toUpperCase()}`, url]);
    const service = await Service.start(`subgraphs/${name}/main.js`, {
      ...lab.environment,
      ...Object.fromEntries(own),
      INTERNAL_SIGNING_KEY: lab.secrets.internal.payments.privateKey,
      FX_RATE_SOURCE: 'simulated',
      PORT: '0',
    });
    stack.defer(() => service.stop());
    urls[name] = `${service.url}/graphql`;
  }
  return urls;
}

function gatewayEnvironment(lab: Lab, root: string, urls: Record<string, string>, engine: string): Environment {
  return {
    ...lab.environment,
    ENGINE: engine,
    JWKS: JSON.stringify(lab.issuer.jwks()),
    JWT_ISSUER: lab.issuer.issuer,
    INTERNAL_SIGNING_KEY: lab.secrets.internal.gateway.privateKey,
    SUPERGRAPH: join(root, 'schema', 'supergraph.graphql'),
    SUBGRAPH_URLS: JSON.stringify(urls),
  };
}

/** A faster wrong answer would be no figure. */
async function compareAnswers(
  gateways: readonly Service[],
  requests: readonly { method: string; headers: Record<string, string>; body: string }[],
): Promise<void> {
  for (const request of requests) {
    // Apollo Server puts a line's end behind its answers.
    const answers = gateways.map(async ({ url }) => (await (await fetch(`${url}/graphql`, request)).text()).trimEnd());
    const [first, ...others] = await Promise.all(answers);
    const count = first?.match(/"cursor"/g)?.length ?? 0;
    if (count !== 10) throw new Error(`a page of 10 was asked for and ${count} came: ${first?.slice(0, 300)}`);
    if (others.some((other) => other !== first)) throw new Error('the two gateways answer differently');
  }
}
