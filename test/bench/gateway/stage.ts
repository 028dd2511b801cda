import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSecrets } from '../../../local/secrets.js';
import { DevelopmentIssuer } from '../../../local/tokens.js';
import { Monolith } from './canned.monolith.js';
import { type CannedName, cannedSupergraph } from './canned.schema.js';
import { type Cores, readCores } from './cores.js';
import type { LoadResult } from './load.js';
import type { LoadOrder } from './load.process.js';
import type { BenchOptions } from './options.js';
import { Started } from './process.started.js';

/** What all parts of the benchmark share: the subgraphs, the load generators, the cores, and what is right. */
export class Stage {
  readonly monolith: Monolith;

  private constructor(
    readonly options: BenchOptions,
    readonly cores: Cores | null,
    private readonly canned: Started<{ urls: Record<CannedName, string> }>,
    /** Two, so that one can follow what another does to a gateway. */
    private readonly loads: readonly [Started<object>, Started<object>],
    /** What our gateway believes. */
    readonly signIn: Readonly<Record<'JWT_ISSUER' | 'JWKS', string>>,
    /** What every request carries. */
    readonly headers: Readonly<Record<string, string>>,
  ) {
    this.monolith = new Monolith(this.supergraph());
  }

  static async set(options: BenchOptions): Promise<Stage> {
    const cores = readCores();
    const canned = await Started.run<{ urls: Record<CannedName, string> }>({
      file: 'test/bench/gateway/canned.process.js',
      core: cores?.subgraphs ?? null,
    });
    const load = () => Started.run<object>({ file: 'test/bench/gateway/load.process.js', core: cores?.load ?? null });
    const loads = [await load(), await load()] as const;
    const issuer = await DevelopmentIssuer.create('https://sign-in.example', (await newSecrets()).issuer);
    const token = await issuer.issue({ kind: 'TRAVELER', subject: 'trv_us_bench', scopes: [], merchantIds: [] });
    const headers: Record<string, string> = options.signedIn ? { authorization: `Bearer ${token}` } : {};
    const signIn = { JWT_ISSUER: issuer.issuer, JWKS: JSON.stringify(issuer.jwks()) };
    return new Stage(options, cores, canned, loads, signIn, headers);
  }

  get subgraphUrls(): Readonly<Record<CannedName, string>> {
    return this.canned.hello.urls;
  }

  supergraph(streams = false): string {
    return cannedSupergraph(this.subgraphUrls, streams);
  }

  /** Node's flags that make a contender write where its time went. */
  profile(name: string): readonly string[] {
    const { profile } = this.options;
    return profile
      ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`]
      : [];
  }

  /** @param by which of the two load generators */
  load(
    order: Pick<LoadOrder, 'url' | 'connections' | 'milliseconds' | 'source'> & Partial<LoadOrder>,
    by: 0 | 1 = 0,
  ): Promise<LoadResult> {
    // A contender first: its processor time may be what ends the round.
    const watched = { ...order.watched, subgraphs: this.canned.pid, load: this.loads[by].pid };
    const { cores: pinned } = this;
    const cores = pinned ? [pinned.contender, pinned.load] : [];
    const whole: LoadOrder = { headers: this.headers, lengths: {}, keep: 0, pauseMs: 0, ...order, watched, cores };
    return this.loads[by].ask<LoadResult>('run', whole);
  }

  /** Ends what a load generator is doing before its time. */
  async stopLoad(by: 0 | 1): Promise<void> {
    await this.loads[by].ask('stop');
  }

  async strike(): Promise<void> {
    await Promise.all([this.canned, ...this.loads].map((started) => started.stop()));
  }
}

/** Which versions take part. */
export function versions(): string {
  const ours = dependenciesIn('package.json');
  const theirs = dependenciesIn('test', 'bench', 'gateway', 'hive', 'package.json');
  const named = [
    ...['@apollo/gateway', '@apollo/server', 'graphql', 'undici', 'ws'].map((name) => `${name} ${ours[name]}`),
    ...['@graphql-hive/gateway-runtime', '@graphql-mesh/transport-http'].map((name) => `${name} ${theirs[name]}`),
  ];
  return named.join(', ');
}

function dependenciesIn(...path: readonly string[]): Record<string, string> {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', '..', ...path), 'utf8');
  const manifest: Record<'dependencies' | 'devDependencies', Record<string, string> | undefined> = JSON.parse(text);
  return { ...manifest.devDependencies, ...manifest.dependencies };
}
