import type { EntityManager } from '@mikro-orm/postgresql';
import type { Network, WalletProvider } from '../../kernel/graphql/enums.js';
import type { Money } from '../../kernel/money/money.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import type { NetworkClient } from '../network/network.client.js';
import type { WalletClient, WalletStanding } from '../wallet/wallet.client.js';
import { type ReviewCase, readReviewCases } from './review-case.repository.js';

/** What the network says of a payment when it is asked now; what it does not say is null. */
export interface NetworkStatement {
  readonly outcome: Awaited<ReturnType<NetworkClient['inquire']>>['outcome'];
  readonly transactionId: string | null;
  readonly networkMerchantId: string | null;
  readonly amount: Money | null;
  /** What the network calls its no. */
  readonly code: string | null;
}

/** What the wallet says of the order. */
export type WalletStatement = { readonly hold: WalletStanding['hold'] | 'UNKNOWN' } & Pick<
  WalletStanding,
  'authorizationId' | 'captureId' | 'amount'
>;

/** What an operator needs to see of payments that wait for a person. It only looks: nothing outside is asked for. */
export class ReviewCaseService {
  constructor(
    private readonly em: EntityManager,
    private readonly wallets: Readonly<Record<WalletProvider, WalletClient>>,
    private readonly networks: Readonly<Record<Network, NetworkClient>>,
  ) {}

  async page(request: PageRequest): Promise<Page<ReviewCase>> {
    return pageOf(request, await readReviewCases(this.em.fork(), request));
  }

  /** @returns null when the wallet has not told us of an order, so that there is nothing to ask for */
  async walletSays({ payment, authorization }: ReviewCase): Promise<WalletStatement | null> {
    if (!authorization.orderId) return null;
    const answer = await this.wallets[payment.walletProvider].inquire(authorization.orderId);
    if (answer.outcome === 'UNKNOWN') return { hold: 'UNKNOWN', authorizationId: null, captureId: null, amount: null };
    const { hold, authorizationId, captureId, amount } = answer;
    return { hold, authorizationId, captureId, amount };
  }

  /** @returns null when the network was never asked to pay */
  async networkSays({ payment, acceptance }: ReviewCase): Promise<NetworkStatement | null> {
    if (!acceptance.submittedAt) return null;
    const answer = await this.networks[payment.network].inquire(acceptance.requestId);
    const paid = answer.outcome === 'YES' ? answer : null;
    return {
      outcome: answer.outcome,
      transactionId: paid?.transactionId ?? null,
      networkMerchantId: paid?.networkMerchantId ?? null,
      amount: paid?.amount ?? null,
      code: answer.outcome === 'NO' ? answer.code : null,
    };
  }
}
