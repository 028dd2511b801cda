import { HOUR, SECOND } from '../../subgraphs/kernel/clock.js';
import { Money } from '../../subgraphs/kernel/money/money.js';
import { contradictions } from './crash.books.js';
import { type Lab, type Model, networkPlays, type Purchase, type WantedRefund, walletPlays } from './model.js';
import { booksOutside, type Standing, standingOf } from './standing.js';

/** How long a network waits for a payer, and how long wallets and networks keep what they know. */
const PAYER_PATIENCE = 90 * SECOND;
const ORDER_LASTS = 3 * HOUR;

/** Reasons that only time can bring. */
const GIVEN_UP = ['WALLET', 'NETWORK', 'CAPTURE', 'VOID'].map((leg) => `IN_REVIEW ${leg}_OUTCOME_UNKNOWN`);
const TOO_LATE = ['FAILED TIMED_OUT', 'FAILED NETWORK_CANCELLED', 'FAILED NETWORK_REFUSED'];

/**
 * All that is wrong once a run is over: with payments' own books, with both sides' own, with how each payment and each
 * refund ended, and with what the traveler spent and the merchant got together.
 * @param spoiltUntil what the clock was moved on to before all was sound again
 */
export async function wrongsOf(model: Model, lab: Lab, spoiltUntil: number): Promise<string[]> {
  const books = await booksOutside(lab.world);
  const wrongs = await contradictions(lab.world.payments.em);
  let [spent, got] = [Money.zero('USD'), Money.zero('CNY')];
  let [expectedSpent, expectedGot] = [spent, got];
  for (const purchase of model.purchases) {
    if (!purchase.paymentId) continue;
    const standing = await standingOf(lab.world, purchase.paymentId, books);
    const refunds = model.refunds.filter(({ of }) => of === purchase);
    const found = [
      ...ending(purchase, standing, spoiltUntil - purchase.confirmedAt, model.mayBeDeclined),
      ...(standing.status === 'IN_REVIEW' ? waiting(standing) : over(standing)),
      ...refundEndings(purchase, standing, refunds),
    ];
    wrongs.push(...found.map((wrong) => `${purchase.paymentId}: ${wrong} (${JSON.stringify(standing)})`));
    if (standing.status !== 'COMPLETED') continue;
    spent = spent.plus(readMoney(standing.ledger.wallet));
    got = got.plus(readMoney(standing.ledger.merchant));
    const back = givenBack(standing, refunds);
    expectedSpent = expectedSpent.plus(readMoney(standing.sell)).minus(back.toPayer);
    expectedGot = expectedGot.plus(readMoney(standing.buy)).minus(back.fromMerchant);
  }
  if (!got.equals(expectedGot)) wrongs.push(`the merchants got ${got} instead of ${expectedGot}`);
  if (!spent.equals(expectedSpent)) wrongs.push(`the traveler spent ${spent} instead of ${expectedSpent}`);
  return wrongs;
}

/** What was played decides how it ends, but time may end it otherwise. */
function ending({ plays }: Purchase, { status, reason }: Standing, spoiltMs: number, mayBeDeclined: boolean): string[] {
  const possible: string[] = [endingOf(plays.wallet, plays.network)];
  if (mayBeDeclined) possible.push('DECLINED WALLET_DECLINED');
  if (spoiltMs >= PAYER_PATIENCE) possible.push(...TOO_LATE);
  if (spoiltMs >= ORDER_LASTS)
    possible.push('DECLINED WALLET_DECLINED', 'IN_REVIEW AUTHORIZATION_EXPIRING', ...GIVEN_UP);
  const ended = reason ? `${status} ${reason}` : status;
  return possible.includes(ended) ? [] : [`ended ${ended}, not ${possible.join(' or ')}`];
}

function endingOf(wallet: keyof typeof walletPlays, network: keyof typeof networkPlays): string {
  const isHeld = !walletPlays[wallet].startsWith('DECLINED') && wallet !== 'holds-less';
  return (isHeld ? networkPlays[network] : null) ?? walletPlays[wallet];
}

/** Over: charged once and paid once, or neither; and no money is held any more. */
function over({ status, outside, sell, buy, ledger }: Standing): string[] {
  const isCompleted = status === 'COMPLETED';
  const taken = outside.captures.filter((entry) => !entry.endsWith(' DECLINED'));
  const paid = outside.transactions.filter((entry) => entry.endsWith(' SUCCESS'));
  const wrongs = [
    [taken.length === 1 && taken[0]?.startsWith(`${sell} `), taken.length === 0, 'captures'],
    [paid.join() === `${buy} SUCCESS`, paid.length === 0, 'transactions'],
    [
      outside.authorizations.join() === `${sell} CAPTURED`,
      outside.authorizations.every((entry) => /(VOIDED|DENIED)$/.test(entry)),
      'authorizations',
    ],
    [true, !outside.transactions.some((entry) => entry.endsWith(' PROCESSING')), 'transactions in progress'],
    [true, [ledger.wallet, ledger.merchant].join() === '0.00 USD,0.00 CNY', 'postings'],
    [ledger.pending.length === 0, ledger.pending.length === 0, 'holds'],
  ] as const;
  return wrongs
    .filter(([whenCompleted, otherwise]) => !(isCompleted ? whenCompleted : otherwise))
    .map(([, , what]) => what);
}

/** With a person: nothing was given free that the network may have paid for (M10), and nothing was taken unpaid. */
function waiting({ outside, reason, legs }: Standing): string[] {
  const mayBePaid = outside.transactions.some((entry) => /(SUCCESS|PROCESSING)$/.test(entry));
  const isFree = outside.authorizations.every((entry) => /(VOIDED|DENIED)$/.test(entry));
  const isTaken = outside.captures.some((entry) => !entry.endsWith(' DECLINED'));
  return [
    ...(mayBePaid && isFree && reason !== 'AUTHORIZATION_EXPIRED' ? ['given free while it may be paid (M10)'] : []),
    ...(isTaken && !mayBePaid ? ['taken and not paid'] : []),
    ...(/VOIDED|CAPTURED|DECLINED/.test(legs) ? ['over, and in review'] : []),
  ];
}

function refundEndings(
  { plays }: Purchase,
  { refunds: legs, outside }: Standing,
  refunds: readonly WantedRefund[],
): string[] {
  if (legs.length !== refunds.length) return [`${legs.length} refunds instead of ${refunds.length} (M6)`];
  const isRefused = plays.network === 'refund-closed';
  const owed = { 'refund-fails': 'OWED WALLET_REFUSED_REFUND', 'gives-less': 'OWED WALLET_AMOUNT_DIFFERS' } as const;
  const end = isRefused ? 'REFUSED NETWORK_REFUSED_REFUND' : (owed[plays.wallet as keyof typeof owed] ?? 'GIVEN');
  // A few fen may be nothing to the payer, and are given without the wallet.
  const isWrong = (leg: string) => leg !== end && (isRefused || leg !== 'GIVEN');
  const wrong = legs.filter(isWrong).map((leg) => `a refund ended ${leg}, not ${end}`);
  // What was asked for by amount was taken from the merchant once each, by that amount.
  const taken = isRefused ? [] : refunds.flatMap(({ yuan }) => (yuan === null ? [] : `${yuan} CNY SUCCESS`));
  const unseen = outside.networkRefunds.filter((entry) => entry.endsWith(' SUCCESS'));
  const untaken = taken.filter((entry) => {
    const place = unseen.indexOf(entry);
    if (place >= 0) unseen.splice(place, 1);
    return place < 0;
  });
  const others = isRefused ? 0 : refunds.length - taken.length;
  if (unseen.length !== others) wrong.push(`${unseen.length} refunds by the rest instead of ${others}`);
  return [...wrong, ...untaken.map((entry) => `a refund of ${entry} was not taken`)];
}

/**
 * What the refunds must have moved: the merchant gave what was asked for, once each; the payer got the share of it in the
 * price, to the cent where all was given back (M6).
 */
function givenBack({ refunds: legs, outside, sell, buy, ledger }: Standing, refunds: readonly WantedRefund[]) {
  const sum = (entries: readonly string[], status: string, zero: Money) =>
    entries
      .filter((entry) => entry.endsWith(` ${status}`))
      .reduce((total, entry) => total.plus(readMoney(entry)), zero);
  const fromMerchant = sum(outside.networkRefunds, 'SUCCESS', Money.zero('CNY'));
  const toPayer = sum(outside.refunds, 'COMPLETED', Money.zero('USD'));
  const [whole, price] = [readMoney(buy), readMoney(sell)];
  const isAllGiven = legs.every((leg) => leg === 'GIVEN') && refunds.length > 0;
  if (!isAllGiven) {
    // What the wallet owes, or gave otherwise, is not in the ledger as given: the ledger says how much is.
    const isOwed = legs.some((leg) => leg.startsWith('OWED'));
    return { fromMerchant, toPayer: isOwed ? price.minus(readMoney(ledger.wallet)) : toPayer };
  }
  const share = price.share(fromMerchant.minor, whole.minor);
  const off = toPayer.minor - share.minor;
  const allowed = fromMerchant.equals(whole) ? 0n : 1n;
  return { fromMerchant, toPayer: off <= allowed && -off <= allowed ? toPayer : share };
}

/** `14.11 USD`, with or without a status behind it. */
function readMoney(text: string): Money {
  const [amount = '', currency = ''] = text.split(' ');
  return Money.parse(amount, currency);
}
