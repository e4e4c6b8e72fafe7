import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import type { OidcOptions } from '../../../src/common/config/oidc-options.ts';
import { KafkaClientError, KafkaConfigurationError } from '../../../src/common/errors/errors.ts';
import { oidcTokenProvider } from '../../../src/common/oidc-token-provider.ts';

const options: OidcOptions = {
  tokenEndpointUrl: 'https://login.test/oauth/token',
  clientId: 'the app',
  clientSecret: 'p:ss/w+rd %é',
};

interface Sent {
  readonly url: string;
  readonly init: RequestInit & { readonly headers: Record<string, string>; readonly body: string };
}

/** An authorization server in place of `fetch`; `answers` come one after another, the last for ever. */
function server(...answers: (() => Response | Promise<Response>)[]) {
  const sent: Sent[] = [];
  const send = async (url: unknown, init: unknown): Promise<Response> => {
    sent.push({ url, init } as Sent);
    return (answers.length > 1 ? answers.shift()! : answers[0]!)();
  };
  return { sent, fetch: send as typeof fetch };
}

const issues = (access_token: string, expires_in?: unknown) => () => Response.json({ access_token, expires_in });

describe('the OIDC token provider', () => {
  test('asks with the client credentials grant, id and secret encoded for the header', async () => {
    const { sent, fetch } = server(issues('t1', 60));
    const provider = oidcTokenProvider({ ...options, scope: 'kafka more', parameters: { audience: 'x&y' } }, { fetch });
    assert.equal(await provider.token(), 't1');
    const { url, init } = sent[0]!;
    assert.equal(url, options.tokenEndpointUrl);
    assert.equal(init.method, 'POST');
    assert.equal(init.body, 'grant_type=client_credentials&scope=kafka+more&audience=x%26y');
    assert.equal(init.redirect, 'error');
    // KIP-1025: each encoded by itself before they are joined, so that a colon in one is not the separator.
    const basic = Buffer.from(init.headers.authorization!.replace('Basic ', ''), 'base64').toString();
    assert.equal(basic, 'the+app:p%3Ass%2Fw%2Brd+%25%C3%A9');
  });

  test('puts the credentials into the body for servers that want them there', async () => {
    const { sent, fetch } = server(issues('t1', 60));
    await oidcTokenProvider({ ...options, credentialsIn: 'body' }, { fetch }).token();
    const body = new URLSearchParams(sent[0]!.init.body);
    assert.equal(body.get('client_id'), options.clientId);
    assert.equal(body.get('client_secret'), options.clientSecret);
    assert.equal(sent[0]!.init.headers.authorization, undefined);
  });

  test('keeps a token for 80 % of its life and then requests the next one', async () => {
    let now = 0;
    const { sent, fetch } = server(issues('t1', 100), issues('t2', '100'), issues('t3'));
    const provider = oidcTokenProvider(options, { fetch, now: () => now });
    const tokenAt = async (at: number) => {
      now = at;
      return provider.token();
    };
    assert.equal(await tokenAt(0), 't1');
    assert.equal(await tokenAt(79_999), 't1');
    assert.equal(await tokenAt(80_000), 't2');
    assert.equal(await tokenAt(159_999), 't2');
    assert.equal(sent.length, 2);
    assert.equal(await tokenAt(160_000), 't3');
  });

  test('a token expires by either clock, even if one clock is set back or stands still', async () => {
    let [now, monotonic] = [10_000_000, 0];
    const { fetch } = server(issues('t1', 100), issues('t2', 100), issues('t3', 100));
    const provider = oidcTokenProvider(options, { fetch, now: () => now, monotonicNow: () => monotonic });
    const tokenAfter = async (wallMs: number, monotonicMs: number) => {
      now += wallMs;
      monotonic += monotonicMs;
      return provider.token();
    };
    assert.equal(await tokenAfter(0, 0), 't1');
    assert.equal(await tokenAfter(-3_600_000, 79_999), 't1');
    assert.equal(await tokenAfter(0, 1), 't2', 'the wall clock was set back');
    assert.equal(await tokenAfter(80_000, 0), 't3', 'the machine was suspended');
  });

  test('logins at the same time share a request', async () => {
    const { sent, fetch } = server(issues('t1', 100));
    const provider = oidcTokenProvider(options, { fetch });
    assert.deepEqual(await Promise.all([provider.token(), provider.token()]), ['t1', 't1']);
    assert.equal(sent.length, 1);
  });

  test('returns a valid token while the server fails, and asks the server again next time', async () => {
    let now = 0;
    const fails = () => new Response('', { status: 503 });
    const { fetch } = server(issues('t1', 100), fails, fails, issues('t2', 100));
    const provider = oidcTokenProvider(options, { fetch, now: () => now });
    await provider.token();
    now = 90_000;
    assert.equal(await provider.token(), 't1');
    now = 100_000;
    await assert.rejects(async () => provider.token(), /status 503/);
    assert.equal(await provider.token(), 't2');
  });

  test('returns a valid token while the server hangs, and renews it in the background', async () => {
    let now = 0;
    const waiting: ((response: Response) => void)[] = [];
    const hangs = () => new Promise<Response>((resolve) => waiting.push(resolve));
    const { sent, fetch } = server(issues('t1', 100), hangs);
    const delays: number[] = [];
    const delay = async (ms: number) => {
      delays.push(ms);
    };
    const provider = oidcTokenProvider(options, { fetch, now: () => now, delay });
    await provider.token();
    for (const at of [80_000, 90_000, 99_999]) {
      now = at;
      assert.equal(await provider.token(), 't1');
    }
    assert.equal(sent.length, 2, 'one request at a time');
    assert.ok(delays.every((ms) => ms <= 1000));
    now = 100_000;
    const late = provider.token();
    waiting[0]!(issues('t2', 100)());
    assert.equal(await late, 't2');
    assert.equal(await provider.token(), 't2');
    assert.equal(sent.length, 2);
  });

  test('waits for the server when no token is valid', async () => {
    const { fetch } = server(() => new Promise(() => {}));
    const provider = oidcTokenProvider(options, { fetch, delay: async () => {} });
    let isOver = false;
    void Promise.resolve(provider.token()).finally(() => {
      isOver = true;
    });
    for (let i = 0; i < 20; i++) await null;
    assert.equal(isOver, false);
  });

  test("gives advice when the server's authority is not trusted, unless the advice was already followed", async () => {
    const untrusted = () => Promise.reject(new TypeError('x', { cause: { code: 'SELF_SIGNED_CERT_IN_CHAIN' } }));
    const before = process.env.NODE_EXTRA_CA_CERTS;
    try {
      for (const [file, says] of [
        ['', /IN_CHAIN; name the file with its authority.s certificate in NODE_EXTRA_CA_CERTS \[KAFKA_\w+\]$/],
        ['/ca.pem', /IN_CHAIN; its authority is not among those of NODE_EXTRA_CA_CERTS/],
      ] as const) {
        process.env.NODE_EXTRA_CA_CERTS = file;
        const provider = oidcTokenProvider(options, { fetch: server(untrusted).fetch });
        await assert.rejects(async () => provider.token(), says);
      }
    } finally {
      if (before === undefined) delete process.env.NODE_EXTRA_CA_CERTS;
      else process.env.NODE_EXTRA_CA_CERTS = before;
    }
  });

  test('returns the given extensions, each time in a new object', async () => {
    const provider = oidcTokenProvider({ ...options, extensions: { logicalCluster: 'lkc' } });
    const first = (await provider.extensions!()) as Record<string, string>;
    first.logicalCluster = 'changed';
    assert.deepEqual(await provider.extensions!(), { logicalCluster: 'lkc' });
  });

  test('refuses options that cannot work', () => {
    assert.throws(() => oidcTokenProvider({ ...options, clientId: '' }), KafkaConfigurationError);
  });

  const echo = `${options.clientSecret} ${options.clientId}`;
  const failures: readonly (readonly [what: string, answer: () => Response | Promise<Response>, says: RegExp])[] = [
    [
      'an OAuth error',
      () => Response.json({ error: 'invalid_client', error_description: echo }, { status: 401 }),
      /status 401 and error 'invalid_client' \[KAFKA_\w+\]$/,
    ],
    ['an error that is no code', () => Response.json({ error: echo }, { status: 400 }), /status 400 \[KAFKA_\w+\]$/],
    ['a page', () => new Response(`<html>${echo}`, { status: 502 }), /status 502 \[KAFKA_\w+\]$/],
    ['a page instead of a token', () => new Response(`<html>${echo}`), /no access_token \[KAFKA_\w+\]$/],
    ['an answer without a token', () => Response.json({ token: echo }), /no access_token \[KAFKA_\w+\]$/],
    ['null', () => Response.json(null), /no access_token \[KAFKA_\w+\]$/],
    ['a token that is no text', () => Response.json({ access_token: [echo] }), /no access_token \[KAFKA_\w+\]$/],
    ['far too much', () => new Response('x'.repeat(300_000)), /larger than 262144 bytes \[KAFKA_\w+\]$/],
    [
      'no connection',
      () => Promise.reject(new TypeError(`fetch failed ${echo}`, { cause: { code: 'ECONNREFUSED' } })),
      /: ECONNREFUSED \[KAFKA_\w+\]$/,
    ],
    [
      'a redirect',
      () => Promise.reject(new TypeError(`unexpected redirect ${echo}`)),
      /the request failed \[KAFKA_\w+\]$/,
    ],
    [
      'no answer in time',
      () => Promise.reject(new DOMException('late', 'TimeoutError')),
      /no answer within 10000 ms \(timeoutMs\) \[KAFKA_\w+\]$/,
    ],
  ];
  for (const [what, answer, says] of failures) {
    test(`fails clearly on ${what}, and does not show it`, async () => {
      const provider = oidcTokenProvider(options, { fetch: server(answer).fetch });
      await assert.rejects(
        async () => provider.token(),
        (error: Error) => {
          assert.ok(error instanceof KafkaClientError);
          assert.match(error.message, /^no token from https:\/\/login\.test: /);
          assert.match(error.message, says);
          const shown = inspect(error, { showHidden: true, depth: 9 });
          for (const secret of [options.clientSecret, options.clientId]) assert.ok(!shown.includes(secret), shown);
          return true;
        },
      );
    });
  }
});
