import type { MerchantId } from '../subgraphs/kernel/id.js';
import { fixedId } from './seed.id.js';

/** What the outside world plays for a payment at a store. */
export const scenarios = [
  'ok',
  'declined',
  'refused',
  'slow',
  'lost-reply',
  'capture-fails-once',
  'duplicate-notifications',
] as const;

export type Scenario = (typeof scenarios)[number];

/** A merchant that exists here and at WeChat Pay, with the static code that stands on its counter. */
export interface Store {
  readonly scenario: Scenario;
  readonly merchantId: MerchantId;
  /** The merchant's number at WeChat Pay (`sub_mchid`). */
  readonly networkMerchantId: string;
  readonly name: string;
  readonly localName: string;
  /** ISO 18245. */
  readonly categoryCode: string;
  readonly city: string;
  /** As WeChat Pay prints it: opaque to everybody else. */
  readonly payload: string;
}

const NAMES: Record<
  Scenario,
  readonly [name: string, localName: string, categoryCode: string, city: string, code: string]
> = {
  ok: ['Jinli Teahouse', '锦里老茶馆', '5814', 'Chengdu', 'f2f0v7Qm3KdR9sXcWb1LzYhTg6NpUe5JaA0kC2iE'],
  declined: ['Wide Alley Silk', '宽巷子蜀锦庄', '5651', 'Chengdu', 'f2f0Hc8yTn2VqLx4GsJd7RmWzPbK0uE3aF1oI6tB'],
  refused: ['Bund Noodle House', '外滩老面馆', '5812', 'Shanghai', 'f2f0kP5wZr9AeMn1XsDh3CvYgUq7LbJ2tF8oG0iN'],
  slow: ['Longjing Tea Fields', '龙井问茶庄', '5499', 'Hangzhou', 'f2f0Td4jQs6WxRb8NzKm0VhLcYp2GuE9aI5oF1eX'],
  'lost-reply': ['Old Town Inn Lijiang', '丽江古城客栈', '7011', 'Lijiang', 'f2f0Wn1bXk7GcPq3TzRm9JsVdLh5YuA2eO8iU4fC'],
  'capture-fails-once': [
    'Panda Valley Gifts',
    '熊猫谷礼品店',
    '5947',
    'Dujiangyan',
    'f2f0Rg6mLz2HsQk8VxNb4WtJcPd0YuE1aO7iF3eD',
  ],
  'duplicate-notifications': [
    'Drum Tower Bakery',
    '鼓楼糕点铺',
    '5462',
    "Xi'an",
    'f2f0Yb9sKv3DqMx7PnGt1RhWzLc5JuA8eO2iF6aG',
  ],
};

/** One for each scenario, the same on every machine. */
export const stores: readonly Store[] = scenarios.map((scenario, index) => {
  const [name, localName, categoryCode, city, code] = NAMES[scenario];
  return {
    scenario,
    merchantId: fixedId('mer', 'cn', index + 1),
    networkMerchantId: `190000${String(index + 101).padStart(4, '0')}`,
    name,
    localName,
    categoryCode,
    city,
    payload: `wxp://${code}`,
  };
});
