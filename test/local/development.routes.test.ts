import { describe, expect, it } from '@jest/globals';
import decode from 'qr/decode.js';
import { encode } from 'uqr';
import { banner } from '../../local/banner.js';
import { developmentRoutes } from '../../local/development.routes.js';
import { scenarios, stores } from '../../local/seed.stores.js';

const codes = stores.map(({ name, payload, merchantId, scenario }) => ({
  name,
  payload,
  kind: 'STATIC',
  network: 'WECHAT_PAY',
  merchantId,
  scenario,
}));

const routes = developmentRoutes({
  tokens: { traveler: 'aaa.bbb.ccc', partner: '<script>alert(1)</script>' },
  codes,
  keys: { keys: [] },
  books: async () => ({ paypal: { orders: [{ id: 'o1' }], pendingNotifications: 3 }, wechatPay: null }),
});

async function get(path: string) {
  const route = routes.find((candidate) => candidate.path === path);
  const answer = await route?.answer({ headers: {}, body: Buffer.alloc(0) });
  return { status: answer?.status, type: answer?.headers?.['content-type'], body: answer?.body ?? '' };
}

/** Reads a bitmap as a phone's camera would. */
function scan(dark: (x: number, y: number) => boolean, size: number): string {
  const SCALE = 4;
  const pixels = new Uint8Array((size * SCALE) ** 2 * 3);
  for (let y = 0; y < size * SCALE; y += 1)
    for (let x = 0; x < size * SCALE; x += 1)
      pixels.fill(
        dark(Math.floor(x / SCALE), Math.floor(y / SCALE)) ? 0 : 255,
        (y * size * SCALE + x) * 3,
        (y * size * SCALE + x) * 3 + 3,
      );
  return decode({ width: size * SCALE, height: size * SCALE, data: pixels });
}

describe('The development pages', () => {
  it('list one code for each scenario that the outside world plays', async () => {
    const { type, body } = await get('/dev/codes');
    expect(type).toContain('application/json');
    const listed = JSON.parse(body) as typeof codes;
    expect(listed.map(({ scenario }) => scenario).toSorted()).toEqual(scenarios.toSorted());
    expect(new Set(listed.map(({ payload }) => payload)).size).toBe(scenarios.length);
    for (const code of listed)
      expect(code).toMatchObject({
        kind: 'STATIC',
        network: 'WECHAT_PAY',
        payload: expect.stringMatching(/^wxp:\/\/\w+$/),
      });
  });

  it('tell the tokens and what the outside systems believe', async () => {
    expect(JSON.parse((await get('/dev/tokens')).body)).toMatchObject({ traveler: 'aaa.bbb.ccc' });
    expect(JSON.parse((await get('/dev/books')).body)).toEqual({
      paypal: { orders: [{ id: 'o1' }], authorizations: [], captures: [], refunds: [] },
      wechatPay: null,
    });
  });

  it('show every code as a picture, and never run what a name or token says', async () => {
    const { type, body } = await get('/dev');
    expect(type).toContain('text/html');
    expect(body.match(/<svg/g)).toHaveLength(codes.length);
    for (const { name } of stores) expect(body).toContain(name.replace("'", '&#39;'));
    expect(body).not.toContain('<script>');
  });
});

describe('The banner', () => {
  const payload = stores[0]?.payload ?? '';
  const text = banner({
    url: 'http://127.0.0.1:4000',
    tokens: { traveler: 'aaa.bbb.ccc' },
    code: { payload, title: 'Jinli Teahouse' },
    startedInMs: 2_345,
  });

  it('names the links, the tokens and how long it took', () => {
    expect(text).toContain('http://127.0.0.1:4000/dev');
    expect(text).toContain('aaa.bbb.ccc');
    expect(text).toContain('2.3 s');
  });

  it('holds a code that a camera reads from a dark terminal', () => {
    const rows = text.split('\n').filter((line) => /^[█▀▄ ]+$/.test(line) && line.length > 20);
    const light = (x: number, y: number) => (y % 2 === 0 ? '█▀' : '█▄').includes(rows[Math.floor(y / 2)]?.[x] ?? '█');
    const size = encode(payload, { border: 2, ecc: 'M' }).size;
    expect(scan((x, y) => !light(x, y), size)).toBe(payload);
  });
});
