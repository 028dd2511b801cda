import type { StatementLine, StatementWindow } from './statement.js';

/** States what moved on a day. Must be read to its end: only then is it whole and proven. */
export interface StatementClient {
  /** @throws (or its iteration) whatever the connector throws: then there is no statement */
  lines(window: StatementWindow): AsyncIterable<StatementLine>;
}

/** Both sides of a market: who holds its travelers' money, and who reaches the merchants. */
export interface MarketStatements {
  readonly marketCode: string;
  readonly network: StatementClient;
  readonly wallet: StatementClient;
}
