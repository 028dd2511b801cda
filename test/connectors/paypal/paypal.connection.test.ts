import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { PaypalRefusal, PaypalUnknown } from '../../../connectors/paypal/paypal.errors.js';
import { bodyOf, Counterpart, captureOf, clientOf, closeEverything, refusalOf, startRaw, usd } from './counterpart.js';

afterEach(closeEverything);

const TOKEN = JSON.stringify({ access_token: 't', token_type: 'Bearer', expires_in: 3600 });

/** A PayPal that gives tokens and answers all else by `answer`. */
async function answering(answer: (path: string) => { status?: number; body: string } | 'cut' | 'silence') {
  return startRaw((request, response) => {
    if (request.url === '/v1/oauth2/token') return void response.writeHead(200).end(TOKEN);
    const reply = answer(request.url ?? '');
    if (reply === 'cut') return void request.socket.destroy();
    if (reply !== 'silence') response.writeHead(reply.status ?? 200).end(reply.body);
  });
}

describe('What nobody knows', () => {
  it.each([
    ['is not JSON', { body: '<html>Bad Gateway</html>' }],
    ['is empty', { body: '' }],
    ['is JSON of another shape', { body: '{"id":"C1"}' }],
    ['has a status that PayPal never had', { body: captureBody({ status: 'MAYBE' }) }],
    ['has a currency that does not exist', { body: captureBody({ amount: { currency_code: 'ZZZ', value: '1.00' } }) }],
    [
      'has more decimals than the currency',
      { body: captureBody({ amount: { currency_code: 'USD', value: '1.001' } }) },
    ],
    ['has an amount that is a number', { body: captureBody({ amount: { currency_code: 'USD', value: 1 } }) }],
    ['is larger than any answer', { body: `${' '.repeat(2 * 1024 * 1024)}${captureBody({})}` }],
    ['is an error page of some machine in between', { status: 403, body: '<html>blocked</html>' }],
    ['is a redirect', { status: 302, body: '' }],
    ['is an error of the server', { status: 500, body: '{"name":"INTERNAL_SERVER_ERROR"}' }],
    ['says that a gateway timed out', { status: 504, body: '' }],
  ])('is an outcome whose answer %s', async (_, reply) => {
    const { url } = await answering(() => reply);
    expect(await refusalOf(clientOf(url).captureAuthorization(captureOf('a', 'AUTH')))).toBeInstanceOf(PaypalUnknown);
  });

  it('is an outcome whose connection broke', async () => {
    const { url } = await answering(() => 'cut');
    const thrown = await refusalOf(clientOf(url).getCapture('C1'));
    expect(thrown).toBeInstanceOf(PaypalUnknown);
    expect((thrown as PaypalUnknown).cause).toBeInstanceOf(Error);
  });

  it('is an outcome that did not come before the deadline', async () => {
    const { url } = await answering(() => 'silence');
    const started = Date.now();
    expect(await refusalOf(clientOf(url, { deadlineMs: 120 }).getCapture('C1'))).toBeInstanceOf(PaypalUnknown);
    expect(Date.now() - started).toBeLessThan(1_000);
  });

  it('is an outcome whose answer began and never ended', async () => {
    const { url } = await startRaw((request, response) => {
      if (request.url === '/v1/oauth2/token') return void response.end(TOKEN);
      response.writeHead(200).write('{"id":');
    });
    expect(await refusalOf(clientOf(url, { deadlineMs: 120 }).getCapture('C1'))).toBeInstanceOf(PaypalUnknown);
  });

  it('is every outcome while nobody listens', async () => {
    const { url, server } = await answering(() => 'cut');
    await new Promise((resolve) => server.close(resolve));
    expect(await refusalOf(clientOf(url).getCapture('C1'))).toBeInstanceOf(PaypalUnknown);
  });

  it('tells nothing of the answer, which may name a payer', async () => {
    const { url } = await answering(() => ({ body: '{"id":"C1","payer":"jane@example.org"' }));
    const thrown = (await refusalOf(clientOf(url).getCapture('C1'))) as PaypalUnknown;
    expect(`${thrown.message} ${String(thrown.cause)}`).not.toContain('jane');
  });

  it('becomes known by the same request with the same key: a lost answer does not charge twice', async () => {
    const counterpart = await Counterpart.start();
    const { url, lose } = await losing(counterpart.url);
    const client = clientOf(url);
    const request = captureOf('a', await counterpart.authorization('a'));
    lose(1);
    expect(await refusalOf(client.captureAuthorization(request))).toBeInstanceOf(PaypalUnknown);
    expect(await client.captureAuthorization(request)).toMatchObject({ status: 'COMPLETED', amount: usd('14.11') });
    expect((await counterpart.books()).captures).toHaveLength(1);
  });
});

describe('Refusals without PayPal’s form', () => {
  it('keep their meaning where the status alone is clear: slow down', async () => {
    const { url } = await answering(() => ({ status: 429, body: 'slow down' }));
    expect(await refusalOf(clientOf(url).getCapture('C1'))).toMatchObject({
      code: 'RATE_LIMIT_REACHED',
      action: 'RETRY',
    });
  });

  it('go by the name where there is no issue', async () => {
    const { url } = await answering(() => ({ status: 404, body: '{"name":"RESOURCE_NOT_FOUND","debug_id":"d1"}' }));
    expect(await refusalOf(clientOf(url).getCapture('C1'))).toEqual(
      new PaypalRefusal('RESOURCE_NOT_FOUND', 'FINAL', 'd1'),
    );
  });
});

describe('The access token', () => {
  it('is asked for once by many calls at once, and kept for those that follow', async () => {
    const { url, tokens } = await countingTokens();
    const client = clientOf(url);
    await Promise.all(Array.from({ length: 20 }, () => client.getCapture('C1')));
    await client.getCapture('C1');
    expect(tokens()).toBe(1);
  });

  it('is renewed, once, when PayPal no longer takes it, and the call goes through', async () => {
    const counterpart = await Counterpart.start();
    const captureId = await counterpart.capture('a');
    await counterpart.stop();
    // A restart forgets all tokens.
    await counterpart.startAgain();
    expect(await counterpart.client.getCapture(captureId)).toMatchObject({ status: 'COMPLETED' });
  });

  it('that is refused twice says nothing about the payment: try again later', async () => {
    const requests: string[] = [];
    const { url } = await startRaw((request, response) => {
      requests.push(request.url ?? '');
      if (request.url === '/v1/oauth2/token') return void response.end(TOKEN);
      response.writeHead(401).end('{"name":"AUTHENTICATION_FAILURE"}');
    });
    expect(await refusalOf(clientOf(url).getCapture('C1'))).toMatchObject({
      code: 'AUTHENTICATION_FAILURE',
      action: 'RETRY',
    });
    expect(requests).toHaveLength(4);
  });

  it('refused with an answer of another form is the same', async () => {
    const { url } = await answering(() => ({ status: 401, body: '{"error":"invalid_token"}' }));
    expect(await refusalOf(clientOf(url).getCapture('C1'))).toMatchObject({ code: 'AUTHENTICATION_FAILURE' });
  });

  it('is not given for a wrong secret', async () => {
    const counterpart = await Counterpart.start();
    const client = clientOf(counterpart.url, { clientSecret: 'guess' });
    expect(await refusalOf(client.getCapture('C1'))).toMatchObject({
      name: 'PaypalRefusal',
      code: 'AUTHENTICATION_FAILURE',
      action: 'RETRY',
    });
  });

  it.each([
    ['an error', 503, ''],
    ['garbage', 200, '{"access_token":""}'],
    ['a token of a kind that we do not know', 200, '{"access_token":"t","token_type":"MAC","expires_in":5}'],
  ])('cannot be had from a server that answers %s, and the next call asks again', async (_, status, body) => {
    let asked = 0;
    const { url } = await startRaw((request, response) => {
      if (request.url !== '/v1/oauth2/token') return void response.end(captureBody({}));
      asked += 1;
      response.writeHead(asked === 1 ? status : 200).end(asked === 1 ? body : TOKEN);
    });
    const client = clientOf(url);
    expect(await refusalOf(client.getCapture('C1'))).toBeInstanceOf(PaypalUnknown);
    expect(await client.getCapture('C1')).toMatchObject({ id: 'C1' });
  });

  it('that does not come costs each caller no more than its own deadline', async () => {
    const { url } = await startRaw(() => undefined);
    const client = clientOf(url, { deadlineMs: 150 });
    const started = Date.now();
    await Promise.all([refusalOf(client.getCapture('C1')), refusalOf(client.getCapture('C2'))]);
    expect(Date.now() - started).toBeLessThan(1_000);
  });

  it('and all calls go below the path of the base URL, if it has one', async () => {
    const paths: string[] = [];
    const { url } = await startRaw((request, response) => {
      paths.push(request.url ?? '');
      response.end(request.url?.endsWith('token') ? TOKEN : captureBody({}));
    });
    await clientOf(`${url}/relay/`).getCapture('C1');
    expect(paths).toEqual(['/relay/v1/oauth2/token', '/relay/v2/payments/captures/C1']);
  });
});

describe('A call', () => {
  it('says everything PayPal’s interface asks for, and no number where an amount is', async () => {
    const calls: { method?: string; url?: string; headers: Record<string, unknown>; body: string }[] = [];
    const { url } = await startRaw(async (request, response) => {
      const { method, url: path, headers } = request;
      calls.push({ method, url: path, headers, body: (await bodyOf(request)).toString() });
      if (path === '/v1/oauth2/token') return void response.end(TOKEN);
      response.writeHead(201).end(captureBody({}));
    });
    await clientOf(url).captureAuthorization(captureOf('a', 'AUTH1'));
    expect(calls).toMatchObject([
      {
        method: 'POST',
        url: '/v1/oauth2/token',
        headers: { authorization: 'Basic Y2xpZW50OnNlY3JldA==', 'content-type': 'application/x-www-form-urlencoded' },
        body: 'grant_type=client_credentials',
      },
      {
        method: 'POST',
        url: '/v2/payments/authorizations/AUTH1/capture',
        headers: {
          authorization: 'Bearer t',
          'content-type': 'application/json',
          'paypal-request-id': 'capture-a',
          prefer: 'return=representation',
        },
      },
    ]);
    expect(calls[1]?.headers).not.toHaveProperty('paypal-mock-response');
    expect(JSON.parse(calls[1]?.body ?? '')).toEqual({
      amount: { currency_code: 'USD', value: '14.11' },
      invoice_id: 'invoice-a',
      final_capture: true,
    });
  });

  it('finds, of several captures, the one that took money', async () => {
    const captures = ['DECLINED', 'COMPLETED', 'FAILED'].map((status, n) => ({
      ...JSON.parse(captureBody({ status })),
      id: `C${n}`,
    }));
    let shown = captures;
    const { url } = await answering(() => ({
      body: JSON.stringify({ id: 'O1', status: 'COMPLETED', purchase_units: [{ payments: { captures: shown } }] }),
    }));
    const client = clientOf(url);
    expect(await client.findCapture({ orderId: 'O1' })).toMatchObject({ id: 'C1', status: 'COMPLETED' });
    shown = captures.slice(0, 1);
    expect(await client.findCapture({ orderId: 'O1' })).toMatchObject({ id: 'C0', status: 'DECLINED' });
  });
});

describe('Closing', () => {
  it('lets calls under way finish', async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    const { url } = await startRaw((request, response) => {
      if (request.url === '/v1/oauth2/token') return void response.end(TOKEN);
      arrive();
      setTimeout(() => response.end(captureBody({})), 80);
    });
    const client = clientOf(url);
    const call = client.getCapture('C1');
    await arrived;
    await client.close();
    expect(await call).toMatchObject({ id: 'C1' });
  });
});

function captureBody(fields: object): string {
  return JSON.stringify({ id: 'C1', status: 'COMPLETED', amount: { currency_code: 'USD', value: '1.00' }, ...fields });
}

async function countingTokens() {
  let count = 0;
  const { url } = await startRaw((request, response) => {
    if (request.url !== '/v1/oauth2/token') return void response.end(captureBody({}));
    count += 1;
    setTimeout(() => response.end(TOKEN), 20);
  });
  return { url, tokens: () => count };
}

/** Passes everything on to `target`, and cuts the connection instead of handing back the next answers. */
async function losing(target: string) {
  let toLose = 0;
  const { url } = await startRaw(async (request, response) => {
    const body = await bodyOf(request);
    const onward = httpRequest(
      target + request.url,
      { method: request.method, headers: request.headers },
      async (answer) => {
        const text = await bodyOf(answer);
        if (request.url !== '/v1/oauth2/token' && toLose > 0) {
          toLose -= 1;
          return void request.socket.destroy();
        }
        response.writeHead(answer.statusCode ?? 500).end(text);
      },
    );
    onward.end(body);
  });
  return {
    url,
    lose: (count: number) => {
      toLose = count;
    },
  };
}
