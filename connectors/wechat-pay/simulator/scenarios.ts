/** What a store may be told to play with its payments and refunds otherwise than straight. */
interface Play {
  /** The payer types a password: then the payment is made, or refused. */
  readonly typed?: 'SUCCESS' | 'FAIL';
  /** The payer never gets to the end of it; who cancels meanwhile is told so, or finds it paid at that moment. */
  readonly stuck?: 'PROCESSING' | 'SUCCESS';
  readonly isRefused?: true;
  /** The answer is lost, or comes only when everybody has been notified. */
  readonly reply?: 'LOST' | 'LATE';
  /** What notifications say before the one that is true. */
  readonly rumour?: 'SUCCESS' | 'FAIL';
  readonly copies?: number;
  /** Paid in another amount, another currency or to another merchant than was asked for. */
  readonly differs?: 'AMOUNT' | 'CURRENCY' | 'MERCHANT';
  /** The payer never gets to the end of it, and is typing just when somebody first cancels. */
  readonly isBusyOnce?: true;
  readonly refund?: 'NOT_ENOUGH_ONCE' | 'ABNORMAL' | 'CLOSED' | 'LESS';
}

const PLAYS: ReadonlyMap<string, Play> = new Map<string, Play>([
  ['refused', { isRefused: true }],
  ['refused-but-notified', { isRefused: true, rumour: 'SUCCESS' }],
  ['slow', { typed: 'SUCCESS' }],
  ['slow-refused', { typed: 'FAIL' }],
  ['never-typed', { stuck: 'PROCESSING' }],
  ['paid-while-cancelled', { stuck: 'SUCCESS' }],
  ['cancel-busy-once', { isBusyOnce: true }],
  ['lost-reply', { reply: 'LOST' }],
  ['late-reply', { reply: 'LATE' }],
  ['duplicate-notifications', { copies: 3 }],
  ['contradictory-notifications', { rumour: 'FAIL' }],
  ['pays-less', { differs: 'AMOUNT' }],
  ['pays-dollars', { differs: 'CURRENCY' }],
  ['pays-another', { differs: 'MERCHANT' }],
  ['refund-not-enough-once', { refund: 'NOT_ENOUGH_ONCE' }],
  ['refund-abnormal', { refund: 'ABNORMAL' }],
  ['refund-closed', { refund: 'CLOSED' }],
  ['refund-less', { refund: 'LESS' }],
]);

/** A name that is not ours to play means that nothing special happens. */
export function playOf(scenario: string): Play {
  return PLAYS.get(scenario) ?? {};
}
