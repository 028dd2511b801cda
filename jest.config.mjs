// `*.program.test.ts` starts, kills and restarts programs as processes of their own, which takes its time.
const suites = { programs: '**/*.program.test.ts', laws: '**/!(*.program).test.ts' };
const testMatch = suites[process.env.TEST_SUITE] ?? '**/*.test.ts';

export default {
  testEnvironment: '<rootDir>/test/support/shared-environment.mjs',
  runtime: '<rootDir>/test/support/shared-runtime.mjs',
  roots: ['<rootDir>/test'],
  testMatch: [testMatch],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        module: { type: 'es6' },
        jsc: {
          target: 'es2024',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  // Long enough for a hook that starts everything on a machine that runs other tests beside.
  testTimeout: 120_000,
  coverageProvider: 'v8',
  collectCoverageFrom: [
    'subgraphs/**/*.ts',
    'connectors/**/*.ts',
    'gateway/**/*.ts',
    '!**/main.ts',
    '!**/migrations/**',
  ],
  // Not in the run's own folder, which goes with it: the next run finds everything transformed.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // Laws wait for other programs and for the clock most of the time; programs are busy themselves.
  maxWorkers: process.env.TEST_SUITE === 'laws' ? 4 : 2,
};
