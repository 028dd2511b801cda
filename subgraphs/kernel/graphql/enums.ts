import 'reflect-metadata';
import { registerEnumType } from 'type-graphql';

/** The local scheme that reaches merchants. */
export enum Network {
  WECHAT_PAY = 'WECHAT_PAY',
}

/** Who keeps a traveler's wallet. */
export enum WalletProvider {
  PAYPAL = 'PAYPAL',
}

/** Whether the payer types the amount, or the code carries it. */
export enum CodeKind {
  STATIC = 'STATIC',
  DYNAMIC = 'DYNAMIC',
}

registerEnumType(Network, {
  name: 'Network',
  description: 'The local payment scheme that reaches merchants.',
  valuesConfig: { WECHAT_PAY: { description: 'WeChat Pay, in mainland China.' } },
});

registerEnumType(WalletProvider, {
  name: 'WalletProvider',
  description: "Who keeps a traveler's wallet.",
  valuesConfig: { PAYPAL: { description: 'PayPal.' } },
});

registerEnumType(CodeKind, {
  name: 'CodeKind',
  description: 'Who says the amount.',
  valuesConfig: {
    STATIC: { description: "A merchant's own code: the payer types the amount." },
    DYNAMIC: { description: 'The code of one order: the amount is in it.' },
  },
});
