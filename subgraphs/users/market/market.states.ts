/** Only `LIVE` can pay. Markets change by migration, since opening one is a release: no code steps from one to the next. */
export type MarketStatus = 'LIVE' | 'ANNOUNCED' | 'CLOSED';
