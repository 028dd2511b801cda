/** A part of the money core that is mutated as one, and the test files that must notice it. */
export interface Target {
  readonly name: string;
  /** Globs of sources, from the root. */
  readonly mutate: readonly string[];
  /** Globs of test files, from the root. Each is loaded for each mutant: no more than are needed. */
  readonly tests: readonly string[];
  /** How long, beyond what its tests take unmutated, before a mutant counts as hanging. */
  readonly patienceMs: number;
}

const PURE_MS = 5_000;
/** Tests with a database wait for states, on a machine that may do other things beside. */
const WITH_DATABASE_MS = 15_000;

export const targets: readonly Target[] = [
  {
    name: 'money',
    mutate: ['subgraphs/kernel/money/*.ts'],
    tests: ['test/subgraphs/kernel/money/*.test.ts'],
    patienceMs: PURE_MS,
  },
  {
    name: 'states',
    mutate: ['subgraphs/kernel/states.ts', 'subgraphs/payments/**/*.states.ts', 'subgraphs/payments/saga/patience.ts'],
    tests: [
      'test/subgraphs/kernel/states.test.ts',
      'test/subgraphs/payments/*/*.states.test.ts',
      'test/subgraphs/payments/saga/patience.test.ts',
    ],
    patienceMs: PURE_MS,
  },
  {
    name: 'quote',
    mutate: ['subgraphs/fx/quote/{pricing-rule.entity,quote.entity,quote.service}.ts'],
    tests: ['test/subgraphs/fx/quote/*.test.ts'],
    patienceMs: WITH_DATABASE_MS,
  },
  {
    name: 'rate',
    mutate: ['subgraphs/fx/rate/{rate-decimal,simulated-rate.client,ecb.client}.ts'],
    tests: ['test/subgraphs/fx/rate/{rate-decimal,simulated-rate.client,ecb.client}.test.ts'],
    patienceMs: WITH_DATABASE_MS,
  },
  {
    name: 'reference',
    mutate: ['subgraphs/fx/rate/{rate.service,reference-rate.repository,reference-rate.service}.ts'],
    tests: ['test/subgraphs/fx/rate/{rate.service,simulated-rate.client}.test.ts'],
    patienceMs: WITH_DATABASE_MS,
  },
  {
    name: 'ledger',
    mutate: ['subgraphs/payments/ledger/{account.entity,books.repository,ledger.repository,ledger.service}.ts'],
    tests: ['test/subgraphs/payments/ledger/{account.entity,books.repository,ledger.repository}.test.ts'],
    patienceMs: WITH_DATABASE_MS,
  },
  {
    name: 'audit',
    mutate: ['subgraphs/payments/ledger/{audit.service,seal.repository,seal.worker,trial-balance.repository}.ts'],
    tests: ['test/subgraphs/payments/ledger/{audit.resolver,seal.worker,trial-balance.repository}.test.ts'],
    patienceMs: WITH_DATABASE_MS,
  },
  {
    name: 'undecided',
    mutate: ['subgraphs/payments/saga/undecided.repository.ts'],
    tests: ['test/subgraphs/payments/saga/undecided.repository.test.ts'],
    patienceMs: WITH_DATABASE_MS,
  },
  {
    name: 'saga',
    mutate: ['subgraphs/payments/saga/{lease.repository,saga.worker}.ts'],
    tests: ['test/subgraphs/payments/saga/saga.worker.test.ts'],
    patienceMs: WITH_DATABASE_MS,
  },
  {
    name: 'steps',
    mutate: ['subgraphs/payments/saga/{review.service,saga.service}.ts'],
    // Not `saga.service.test.ts`, whose whole worlds and lost answers take minutes for each mutant that lives.
    tests: [
      'test/subgraphs/payments/saga/review.service.test.ts',
      'test/subgraphs/payments/acceptance/acceptance.service.test.ts',
    ],
    patienceMs: WITH_DATABASE_MS,
  },
];
