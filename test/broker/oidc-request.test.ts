// The request of the network thread for an OIDC token: names are looked up beside the process's thread pool, and what fetch refuses
// is refused.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { oidcTokenProvider } from '../../src/common/oidc-token-provider.ts';
import { lookupFor } from '../../src/worker/net/resolver.ts';
import { postBesidePool } from '../../src/worker/sasl/post-beside-pool.ts';
import { TokenEndpoint } from '../helpers/token-endpoint.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const looked: string[] = [];
const post = postBesidePool(
  lookupFor((host, callback) => {
    looked.push(host);
    if (host === 'localhost') callback(null, ['127.0.0.1']);
    else callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
  }),
);

async function endpoint(...args: Parameters<typeof TokenEndpoint.start>): Promise<TokenEndpoint> {
  const started = await TokenEndpoint.start(...args);
  closers.push(() => started.close());
  return started;
}

function providerOf(url: string, timeoutMs = 60_000) {
  const options = { tokenEndpointUrl: url, clientId: 'id', clientSecret: 'the-secret', timeoutMs };
  return oidcTokenProvider(options, { fetch: post });
}

describe('a token is requested', () => {
  it('and a server whose name our own look-up resolves answers', async () => {
    const server = await endpoint(() => ({ json: { access_token: 'fresh', expires_in: 60 } }));
    const { port } = new URL(server.url);
    assert.equal(await providerOf(`http://localhost:${port}/token`).token(), 'fresh');
    assert.ok(looked.includes('localhost'));
    const [seen] = server.requests;
    assert.equal(seen!.body.get('grant_type'), 'client_credentials');
    assert.match(seen!.headers.authorization!, /^Basic /);
    assert.equal(seen!.headers['content-type'], 'application/x-www-form-urlencoded');
  });

  it('and the error names an unknown host', async () => {
    await assert.rejects(async () => providerOf('https://nowhere.test:1/token').token(), /ENOTFOUND \[KAFKA_\w+\]$/);
  });

  it('and an answer that is an error, too large or late fails, and the error does not show the secret', async () => {
    const refused = await endpoint(() => ({ status: 401, json: { error: 'invalid_client' } }));
    await assert.rejects(async () => providerOf(refused.url).token(), /status 401 and error 'invalid_client'/);
    const large = await endpoint(() => ({ text: 'x'.repeat(300 * 1024) }));
    await assert.rejects(async () => providerOf(large.url).token(), /larger than 262144 bytes/);
    const silent = await endpoint(() => 'silent');
    await assert.rejects(
      async () => providerOf(silent.url, 200).token(),
      (error: Error) => {
        assert.match(error.message, /no answer within 200 ms/);
        assert.doesNotMatch(error.message, /the-secret/);
        return true;
      },
    );
  });

  it('and an answer that stops in the middle is late too', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200);
      response.write('{"access_token"');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    await assert.rejects(async () => providerOf(url, 300).token(), /no answer within 300 ms/);
  });

  it('and a redirect is not followed, because it would send the secret to another server', async () => {
    const elsewhere = await endpoint(() => ({ json: { access_token: 'stolen' } }));
    const server = createServer((_request, response) => response.writeHead(307, { location: elsewhere.url }).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
    await assert.rejects(async () => providerOf(url).token(), /the request failed \[KAFKA_\w+\]$/);
    assert.equal(elsewhere.requests.length, 0);
  });
});
