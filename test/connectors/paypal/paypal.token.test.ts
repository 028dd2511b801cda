import { describe, expect, it } from '@jest/globals';
import { PaypalToken } from '../../../connectors/paypal/paypal.token.js';

function counting(lifetimeMs: number) {
  let time = 0;
  let issued = 0;
  const issue = async () => {
    issued += 1;
    return { value: `token-${issued}`, lifetimeMs };
  };
  const token = new PaypalToken(issue, () => new Date(time));
  return {
    token,
    pass: (ms: number) => {
      time += ms;
    },
  };
}

describe('PaypalToken', () => {
  it('is one for all who ask while it is on its way', async () => {
    const { token } = counting(3_600_000);
    expect(await Promise.all([token.get(), token.get(), token.get()])).toEqual(['token-1', 'token-1', 'token-1']);
  });

  it('is kept until a minute before it expires', async () => {
    const { token, pass } = counting(3_600_000);
    await token.get();
    pass(3_539_999);
    expect(token.fresh()).toBe('token-1');
    pass(1);
    expect(token.fresh()).toBeNull();
    expect(await token.get()).toBe('token-2');
  });

  it('is kept for nine tenths of a short life', async () => {
    const { token, pass } = counting(1_000);
    await token.get();
    pass(899);
    expect(await token.get()).toBe('token-1');
    pass(1);
    expect(await token.get()).toBe('token-2');
  });

  it('is forgotten when it was refused, but not for the refusal of one before it', async () => {
    const { token } = counting(3_600_000);
    await token.get();
    token.forget('token-1');
    expect(await token.get()).toBe('token-2');
    token.forget('token-1');
    expect(await token.get()).toBe('token-2');
  });

  it('that could not be had is asked for again', async () => {
    let fails = true;
    const token = new PaypalToken(async () => {
      if (fails) throw new Error('down');
      return { value: 'token', lifetimeMs: 1_000 };
    });
    await expect(Promise.all([token.get(), token.get()])).rejects.toThrow('down');
    fails = false;
    expect(await token.get()).toBe('token');
  });
});
