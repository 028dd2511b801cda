import { ForbiddenError, invariant } from './error.js';
import {
  type Id,
  idPattern,
  type MerchantId,
  type OperatorId,
  type PartnerId,
  parseId,
  type TravelerId,
} from './id.js';

export const principalKinds = ['ANONYMOUS', 'TRAVELER', 'MERCHANT', 'PARTNER', 'OPERATOR', 'SERVICE'] as const;
export type PrincipalKind = (typeof principalKinds)[number];

export interface PrincipalClaims {
  readonly kind: PrincipalKind;
  /** The traveler, member, partner or operator id; a service's name; empty for strangers. */
  readonly subject: string;
  readonly scopes: readonly string[];
  /** The merchants that a MERCHANT may act for. */
  readonly merchantIds: readonly string[];
}

/** Who asks, as the gateway (or a service of ours) vouches for it. Every right is asked of this object. */
export class Principal implements PrincipalClaims {
  readonly kind: PrincipalKind;
  readonly subject: string;
  readonly scopes: readonly string[];
  readonly merchantIds: readonly MerchantId[];

  constructor(claims: PrincipalClaims) {
    this.kind = claims.kind;
    this.subject = claims.subject;
    this.scopes = claims.scopes;
    this.merchantIds = claims.merchantIds.map((id) => parseId('mer', id));
  }

  static anonymous(): Principal {
    return new Principal({ kind: 'ANONYMOUS', subject: '', scopes: [], merchantIds: [] });
  }

  /** A subgraph that asks another one on its own behalf. */
  static service(name: string): Principal {
    return new Principal({ kind: 'SERVICE', subject: name, scopes: [], merchantIds: [] });
  }

  /** Two requests with the same fingerprint have the same rights. */
  get fingerprint(): string {
    return `${this.kind}:${this.subject}:${this.scopes.join(' ')}:${this.merchantIds.join(' ')}`;
  }

  isTraveler(id: TravelerId): boolean {
    return this.kind === 'TRAVELER' && this.subject === id;
  }

  isPartner(id: PartnerId): boolean {
    return this.kind === 'PARTNER' && this.subject === id;
  }

  isOperator(): boolean {
    return this.kind === 'OPERATOR';
  }

  mayActFor(merchantId: MerchantId): boolean {
    return this.kind === 'MERCHANT' && this.merchantIds.includes(merchantId);
  }

  hasScope(scope: string): boolean {
    return this.scopes.includes(scope);
  }

  /** @throws ForbiddenError UNAUTHENTICATED for a stranger */
  requireKnown(): this {
    if (this.kind === 'ANONYMOUS') throw new ForbiddenError('Sign in first.', 'UNAUTHENTICATED');
    return this;
  }

  /** @throws ForbiddenError UNAUTHENTICATED, FORBIDDEN */
  requireTraveler(): TravelerId {
    this.require('TRAVELER');
    return this.subjectAs('trv');
  }

  /** @throws ForbiddenError UNAUTHENTICATED, FORBIDDEN */
  requirePartner(): PartnerId {
    this.require('PARTNER');
    return this.subjectAs('ptr');
  }

  /** @throws ForbiddenError UNAUTHENTICATED, FORBIDDEN */
  requireOperator(): OperatorId {
    this.require('OPERATOR');
    return this.subjectAs('opr');
  }

  /** @throws ForbiddenError FORBIDDEN when anyone but that service of ours asks */
  requireService(name: string): void {
    if (this.kind !== 'SERVICE' || this.subject !== name) throw new ForbiddenError('This is not for you.');
  }

  /** @throws ForbiddenError UNAUTHENTICATED, FORBIDDEN */
  requireScope(scope: string): void {
    this.requireKnown();
    if (!this.hasScope(scope)) throw new ForbiddenError('Your token lacks a scope.', 'FORBIDDEN', { scope });
  }

  private subjectAs<Kind extends 'trv' | 'ptr' | 'opr'>(kind: Kind): Id<Kind> {
    // Signed, but by somebody who knows our people by other names.
    if (!idPattern(kind).test(this.subject))
      throw new ForbiddenError('This token is not one of ours.', 'UNAUTHENTICATED');
    return this.subject as Id<Kind>;
  }

  private require(kind: PrincipalKind): void {
    invariant(kind !== 'ANONYMOUS', 'nobody is required to be a stranger');
    this.requireKnown();
    if (this.kind !== kind) throw new ForbiddenError(`Only a ${kind.toLowerCase()} can do this.`);
  }
}
