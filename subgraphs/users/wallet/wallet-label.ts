import type { WalletProvider } from '../../kernel/graphql/enums.js';

type Provider = `${WalletProvider}`;

const NAMES: Record<Provider, string> = { PAYPAL: 'PayPal' };

/**
 * What tells a traveler's wallets apart without naming the account: `PayPal a•••@…` for a mail address,
 * `PayPal ••• 1234` for a number; the provider alone for what is too short to mask.
 */
export function walletLabel(provider: Provider, accountName: string): string {
  const [first] = accountName;
  if (first && accountName.includes('@')) return `${NAMES[provider]} ${first}•••@…`;
  const digits = accountName.replace(/\D/g, '');
  return digits.length >= 8 ? `${NAMES[provider]} ••• ${digits.slice(-4)}` : NAMES[provider];
}

/** The label of a wallet whose own label was erased. */
export function bareLabel(provider: Provider): string {
  return NAMES[provider];
}
