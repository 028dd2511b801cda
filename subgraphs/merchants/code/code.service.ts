import { type EntityManager, LockMode } from '@mikro-orm/postgresql';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/clock.js';
import { transaction } from '../../kernel/database.js';
import { invariant, NotFoundError } from '../../kernel/error.js';
import type { CodeId, MerchantId, PaymentId } from '../../kernel/id.js';
import { once } from '../../kernel/idempotency.js';
import type { Money } from '../../kernel/money/money.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import type { Principal } from '../../kernel/principal.js';
import { Merchant, NetworkAccount } from '../merchant/merchant.entity.js';
import { NotOnNetwork } from '../merchant/merchant.errors.js';
import { PaymentCode } from './code.entity.js';
import { CodeExpired, CodeRefused } from './code.errors.js';
import { isStatic, readCodePages } from './code.repository.js';
import type { NetworkClient } from './network.client.js';
import { requireServed, WECHAT_PAY } from './network.js';
import { readPayload } from './scanned-payload.js';
import { staticPayload } from './static-payload.js';

/** So many orders are looked after at once. */
const MOST_OVERDUE = 50;

export interface CreateCode {
  readonly merchantId: MerchantId;
  /** Null makes a STATIC code. */
  readonly amount: Money | null;
  readonly reference: string | null;
  /** Without one every request makes a new code, also a repeated one. */
  readonly idempotencyKey: string | null;
}

export interface AdoptCode {
  readonly id: CodeId;
  readonly merchantId: MerchantId;
  /** What the network printed for the merchant, such as `wxp://…`. */
  readonly payload: string;
  readonly reference: string | null;
}

export class CodeService {
  /** Codes of which `markPaid` changes nothing. */
  private readonly unchanging = new LRUCache<CodeId, true>({ max: 10_000 });

  constructor(
    private readonly em: EntityManager,
    private readonly network: NetworkClient,
    private readonly now: Clock,
  ) {}

  /**
   * Makes a code for a merchant. An order is written down with its number first, then registered with the network, then
   * completed: a request that broke off anywhere is finished by the same request with the same idempotency key.
   *
   * @throws NotFoundError when the asker may not act for the merchant, ForbiddenError without the scope; NotOnNetwork,
   * MarketNotLive, IdempotencyKeyReused, NetworkUnavailable, CodeRefused, CodeExpired when a broken-off request is
   * repeated too late
   */
  async create(command: CreateCode, asker: Principal): Promise<PaymentCode> {
    requireMember(asker, command.merchantId);
    requireWriter(asker);
    const { codeId, networkMerchantId, merchantName } = await this.write(command, asker);
    const code = await this.em.fork().findOneOrFail(PaymentCode, codeId);
    if (code.status === 'CLOSED' && code.payload === null) throw new CodeRefused(code.network);
    if (code.status !== 'REGISTERING') return code;
    if (code.isOverAt(this.now())) throw new CodeExpired('EXPIRED');
    return this.register(code, networkMerchantId, merchantName);
  }

  /**
   * Keeps a code that the network printed for one of our merchants. With an id that is known it changes nothing.
   * @throws NotFoundError, NotOnNetwork; InvalidCode when the text is no code
   */
  async adopt({ id, merchantId, payload, reference }: AdoptCode): Promise<void> {
    const { network, text, codeId } = readPayload(payload);
    invariant(codeId === null || codeId === id, 'a payload that names a code of ours is that code');
    await transaction(this.em, async (em) => {
      // The lock lets one of two simultaneous adoptions find the other's code.
      const merchant = await em.findOne(Merchant, merchantId, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!merchant) throw new NotFoundError();
      if (await em.findOne(PaymentCode, id)) return;
      if (!(await em.findOne(NetworkAccount, { merchantId, network }))) throw new NotOnNetwork(network);
      const birth = { merchantId, network, reference, now: this.now() };
      em.persist(PaymentCode.static({ ...birth, id, currency: WECHAT_PAY.currency, payload: () => text }));
    });
  }

  /**
   * Closes a code: nobody can pay it any more. A code that is closed or expired stays as it is.
   * @throws NotFoundError, ForbiddenError; CodeExpired with reason PAID; NetworkUnavailable, then nothing was changed here
   */
  async cancel(id: CodeId, asker: Principal): Promise<PaymentCode> {
    const code = await this.get(id, asker);
    requireWriter(asker);
    const status = code.statusAt(this.now());
    if (status === 'PAID') throw new CodeExpired('PAID');
    if (status !== 'ACTIVE') return code;
    // The network first: as long as it takes payments for the order, saying CLOSED would be a lie.
    const isPaid = code.outTradeNo !== null && !(await this.network.close(code.outTradeNo, await this.accountOf(code)));
    const closed = await this.change(id, (locked) => {
      if (isPaid) locked.paid(null, this.now());
      else if (locked.status !== 'PAID') locked.close(this.now());
    });
    // Thrown here: inside, it would take back what we have just learned.
    if (closed.status === 'PAID') throw new CodeExpired('PAID');
    return closed;
  }

  /**
   * Takes over what became of an order at the network, whoever paid it. Repeating it has no effect.
   * @throws NetworkUnavailable, then nothing was changed here
   */
  async follow(id: CodeId): Promise<void> {
    const code = await this.em.fork().findOne(PaymentCode, id);
    if (!code || code.outTradeNo === null || code.status !== 'ACTIVE') return;
    const state = await this.network.inquire(code.outTradeNo, await this.accountOf(code));
    await this.change(id, (locked) => locked.follow(state, this.now()));
  }

  /** The same for an order's number; one that is not ours is nothing to us. @throws NetworkUnavailable */
  async followOrder(outTradeNo: string): Promise<void> {
    const code = await this.em.fork().findOne(PaymentCode, { outTradeNo }, { fields: ['id'] });
    if (code) await this.follow(code.id);
  }

  /** Orders that were not heard of for so long that somebody should ask; each is due again later, whatever comes of it. */
  async takeOverdue(): Promise<CodeId[]> {
    return transaction(this.em, async (em) => {
      const now = this.now();
      const codes = await em.find(
        PaymentCode,
        { lookAt: { $lte: now } },
        { orderBy: { lookAt: 'asc' }, limit: MOST_OVERDUE, lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE },
      );
      for (const code of codes) code.lookedAt(now);
      return codes.map(({ id }) => id);
    });
  }

  /**
   * Notes which payment paid an order. Repeating it has no effect.
   * @throws ForbiddenTransition when another payment paid it before: that needs a person
   */
  async markPaid(id: CodeId, paymentId: PaymentId): Promise<void> {
    // Most payments are to a code that stays as it is, and many of them to the same one.
    if (this.unchanging.has(id)) return;
    if (await isStatic(this.em.fork(), id)) return void this.unchanging.set(id, true);
    await transaction(this.em, async (em) => {
      const code = await em.findOne(PaymentCode, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
      code?.paid(paymentId, this.now());
    });
  }

  /** @throws NotFoundError when there is none, or the asker may not act for its merchant */
  async get(id: CodeId, asker: Principal): Promise<PaymentCode> {
    const code = await this.em.fork().findOne(PaymentCode, id);
    if (!code || code.payload === null) throw new NotFoundError();
    requireMember(asker, code.merchantId);
    return code;
  }

  /** A page of codes for each of these merchants, newest first, in one statement. */
  async listPages(merchantIds: readonly MerchantId[], page: PageRequest): Promise<Map<MerchantId, Page<PaymentCode>>> {
    const codes = Map.groupBy(await readCodePages(this.em.fork(), merchantIds, page), (code) => code.merchantId);
    return new Map(merchantIds.map((id) => [id, pageOf(page, codes.get(id) ?? [])]));
  }

  private async write(command: CreateCode, asker: Principal) {
    return transaction(this.em, async (em) => {
      const { merchantId } = command;
      const merchant = await em.findOne(Merchant, merchantId);
      if (!merchant) throw new NotFoundError();
      requireServed(merchant.countryCode, WECHAT_PAY.currency);
      const account = await em.findOne(NetworkAccount, { merchantId, network: WECHAT_PAY.network });
      if (!account) throw new NotOnNetwork(WECHAT_PAY.network);
      const { networkMerchantId } = account;
      const insert = async () => ({ codeId: await this.insert(em, command, merchant, networkMerchantId) });
      const { codeId } = command.idempotencyKey === null ? await insert() : await claimed(em, command, asker, insert);
      return { codeId, networkMerchantId, merchantName: merchant.name };
    });
  }

  private async insert(em: EntityManager, command: CreateCode, merchant: Merchant, networkMerchantId: string) {
    const { amount, reference } = command;
    const birth = { merchantId: merchant.id, network: WECHAT_PAY.network, reference, now: this.now() };
    const payload = (codeId: CodeId) => staticPayload({ codeId, networkMerchantId, merchant, reference });
    const code = amount
      ? PaymentCode.order({ ...birth, amount })
      : PaymentCode.static({ ...birth, currency: WECHAT_PAY.currency, payload });
    em.persist(code);
    await em.flush();
    return code.id;
  }

  private async register(code: PaymentCode, networkMerchantId: string, merchantName: string): Promise<PaymentCode> {
    const { id: codeId, outTradeNo, amount, expiresAt, reference } = code;
    invariant(outTradeNo && amount && expiresAt, 'an order has a number, an amount and an end');
    const description = reference === null ? merchantName : `${merchantName}: ${reference}`;
    const order = { outTradeNo, codeId, networkMerchantId, description, amount, expiresAt };
    const payload = await this.network.register(order).catch((thrown: unknown) => {
      if (thrown instanceof CodeRefused) return null;
      throw thrown;
    });
    const completed = await this.change(codeId, (locked) => {
      // Of two requests that register the same order the first one completes it; the network told both the same.
      if (locked.status !== 'REGISTERING') return;
      if (payload === null) locked.close(this.now());
      else locked.registered(payload);
    });
    if (completed.payload === null) throw new CodeRefused(code.network);
    return completed;
  }

  private change(id: CodeId, change: (code: PaymentCode) => void): Promise<PaymentCode> {
    return transaction(this.em, async (em) => {
      const code = await em.findOneOrFail(PaymentCode, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
      change(code);
      return code;
    });
  }

  private async accountOf({ merchantId, network }: PaymentCode): Promise<string> {
    return (await this.em.fork().findOneOrFail(NetworkAccount, { merchantId, network })).networkMerchantId;
  }
}

/** Only a merchant's own people and operators see and make its codes. @throws NotFoundError, ForbiddenError for strangers */
export function requireMember(asker: Principal, merchantId: MerchantId): void {
  asker.requireKnown();
  if (!asker.mayActFor(merchantId) && !asker.isOperator()) throw new NotFoundError();
}

/** Not all who work for a merchant may make its codes. Asked last: a stranger learns nothing of what there is. */
function requireWriter(asker: Principal): void {
  if (!asker.isOperator()) asker.requireScope('codes:write');
}

async function claimed(
  em: EntityManager,
  { merchantId, amount, reference, idempotencyKey }: CreateCode,
  asker: Principal,
  insert: () => Promise<{ codeId: CodeId }>,
): Promise<{ codeId: CodeId }> {
  const content = { merchantId, amount: amount?.toString() ?? null, reference };
  const request = { scope: `createPaymentCode ${asker.subject}`, key: idempotencyKey ?? '', content };
  return (await once(em, request, insert)).result;
}
