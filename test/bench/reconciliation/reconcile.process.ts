import { createReadStream } from 'node:fs';
import { readTradeBill } from '../../../connectors/wechat-pay/wechat-pay.bill.js';
import { createLogger } from '../../../subgraphs/kernel/telemetry.js';
import { ReconciliationService } from '../../../subgraphs/payments/reconciliation/reconciliation.service.js';
import { WechatPayStatementClient } from '../../../subgraphs/payments/reconciliation/wechat-pay.client.js';
import { DAY, MCHID } from './bill.file.js';

// A process of its own, so that its memory is only what reconciliation takes. Arguments: what to do, the bill, the database.

const [, , work, file = '', url = ''] = process.argv;
const bytes = () => createReadStream(file, { highWaterMark: 65_536 });
const began = performance.now();
if (work === 'read') {
  let lines = 0;
  for await (const piece of bytes()) for (const byte of piece as Buffer) lines += byte === 0x0a ? 1 : 0;
  if (lines === 0) throw new Error('an empty bill');
} else if (work === 'parse') {
  for await (const _row of readTradeBill(bytes(), DAY, MCHID));
} else {
  const bills = { tradeBill: async () => readTradeBill(bytes(), DAY, MCHID) };
  const market = {
    marketCode: 'US',
    network: new WechatPayStatementClient(bills),
    wallet: { lines: () => nothing() },
  };
  const service = new ReconciliationService(url, createLogger('bench', 'error'), () => new Date());
  if (!(await service.reconcile(market, DAY))) throw new Error('the day could not be reconciled');
}
process.send?.({ ms: performance.now() - began, peakBytes: process.resourceUsage().maxRSS * 1_024 });
process.disconnect?.();

async function* nothing(): AsyncGenerator<never> {}
