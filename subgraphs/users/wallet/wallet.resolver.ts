import { Arg, Ctx, Directive, ID, Query, Resolver } from 'type-graphql';
import { parseId } from '../../kernel/id.js';
import type { UsersContext } from '../context.js';
import type { WalletVault } from './wallet.service.js';
import { WalletType, WalletVaultType } from './wallet.type.js';

@Resolver(() => WalletType)
export class WalletResolver {
  @Directive('@inaccessible')
  @Query(() => WalletVaultType, { description: 'For the payments service alone.' })
  walletVault(
    @Arg('walletId', () => ID, { description: 'Which wallet.' }) walletId: string,
    @Ctx() { wallets, principal }: UsersContext,
  ): Promise<WalletVault> {
    principal.requireService('payments');
    return wallets.getVault(parseId('wal', walletId));
  }
}
