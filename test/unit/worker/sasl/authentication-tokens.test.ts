// Tokens of a login: bare tokens, as after SaslHandshake 0, and tokens of a provider that is late, throws or never answers.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { SaslAuthenticationFailedError } from '../../../../src/common/errors/errors.ts';
import { ListGroups, SaslAuthenticate, SaslHandshake } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_CONNECTED, NODE_DISCONNECTED } from '../../../../src/state/counters.ts';
import { frameOf, int32, range } from '../support/fake-peer.ts';
import { asked, broker, connect, lastError, net, node, oauth, start, state } from './support/login.ts';

afterEach(() => net.close());

describe('a login with bare tokens', () => {
  function startBare(): void {
    start();
    broker.ranges.set(SaslHandshake.key, range(0, 0));
    broker.ranges.delete(SaslAuthenticate.key);
  }

  test('sends a token without a header, and accepts an empty one', async () => {
    startBare();
    broker.takesBareTokens = () => ({ answer: Buffer.alloc(0), isOver: true });
    await connect();
    assert.deepEqual(broker.bareTokens.map(String), ['alice\0alice\0the-secret']);
    assert.equal(state(), NODE_CONNECTED);
    const sent = net.app.send(node, ListGroups, {});
    net.run();
    broker.reply({});
    net.run();
    assert.equal(sent.state, 'succeeded');
    broker.transport.send(int32(0));
    net.run();
    assert.equal(state(), NODE_DISCONNECTED, 'an empty frame is legal in a login only');
  });

  test('is refused if the broker closes the connection after the credentials', async () => {
    startBare();
    broker.takesBareTokens = () => 'close';
    await connect();
    const error = await lastError();
    assert.ok(error instanceof SaslAuthenticationFailedError);
    assert.match(error.message, /closed the connection during authentication: the credentials may be wrong/);
  });

  test('refuses a token without a matching request', async () => {
    startBare();
    broker.takesBareTokens = () => {
      broker.transport.send(int32(0));
      return { answer: Buffer.alloc(0), isOver: true };
    };
    await connect();
    assert.match((await lastError()).message, /a token of 0 bytes when no answer was due/);
  });

  test('refuses a token that should be empty, and other bytes in its place', async () => {
    for (const answer of [Buffer.from('more'), frameOf(0, 0, 0, 1)]) {
      startBare();
      broker.takesBareTokens = () => ({ answer, isOver: false });
      await connect();
      assert.ok((await lastError()) instanceof SaslAuthenticationFailedError);
      await net.close();
    }
  });
});

describe('a token provider', () => {
  test('is asked for each login, before anything is sent', async () => {
    start(oauth);
    let count = 0;
    net.askForToken = async () => ({ token: `token-${++count}`, extensions: {} });
    broker.handlers.set(SaslAuthenticate.key, () => ({}));
    await connect();
    broker.transport.end();
    await net.settled();
    await net.advanceSettled(100);
    net.app.connect(node);
    await net.settled();
    const tokens = broker
      .requestsOf(SaslAuthenticate)
      .map(({ body }) => /token-\d/.exec(body.authBytes.toString())![0]);
    assert.deepEqual(tokens, ['token-1', 'token-2']);
  });

  test('that throws ends the attempt with its error as the cause', async () => {
    start(oauth);
    net.askForToken = () => Promise.reject(new Error('vault is sealed'));
    await connect();
    const error = await lastError();
    assert.ok(error instanceof SaslAuthenticationFailedError);
    assert.match(error.message, /the token provider failed: vault is sealed \[KAFKA_\w+\]$/);
    assert.equal((error.cause as Error).message, 'vault is sealed');
    assert.deepEqual(asked(), ['ApiVersions']);
  });

  test('that never answers ends with the setup deadline, and its late answer is ignored', async () => {
    start({ ...oauth, connectionSetupTimeoutMs: 1000 });
    const answers: ((provided: { token: string; extensions: object }) => void)[] = [];
    net.askForToken = () => new Promise((resolve) => answers.push(resolve));
    await connect();
    await net.advanceSettled(1000);
    const error = await lastError();
    assert.ok(error instanceof SaslAuthenticationFailedError);
    assert.match(error.message, /the token provider gave no token before the end of the connection setup/);
    answers[0]!({ token: 'late', extensions: {} });
    await net.settled();
    assert.equal(broker.requestsOf(SaslAuthenticate).length, 0);
  });

  test('that never answers does not delay other nodes', async () => {
    start({ ...oauth, bootstrapServers: 'one:9092,two:9092' });
    const other = net.broker('two:9092');
    other.handlers.set(SaslHandshake.key, () => ({ errorCode: 0, mechanisms: ['OAUTHBEARER'] }));
    other.handlers.set(SaslAuthenticate.key, () => ({}));
    broker.handlers.set(SaslAuthenticate.key, () => ({}));
    let count = 0;
    net.askForToken = () => (++count === 1 ? new Promise(() => {}) : Promise.resolve({ token: 't', extensions: {} }));
    await connect();
    net.app.connect(-2);
    await net.settled();
    assert.deepEqual([-1, -2].map((id) => net.app.isConnected(id)).sort(), [false, true]);
  });
});
