// Requests of APIs whose code the network thread has not loaded: they wait for it, keep their order, and end when it does not come.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { NodeNotReadyError, RequestTimedOutError } from '../../../../src/common/errors/errors.ts';
import { FindCoordinator, ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;
/** API keys, in the order in which their code was asked for. */
let asked: number[];
let loaded: Set<number>;
let finish: { done(): void; fail(error: Error): void };

beforeEach(() => {
  net = new FakeNetwork({ metadataMaxAgeMs: 1_000_000, connectionsMaxIdleMs: -1, requestTimeoutMs: 10_000 });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  asked = [];
  loaded = new Set([FindCoordinator.key]);
  net.codecs = {
    isLoaded: (apiKey) => loaded.has(apiKey),
    load: (apiKey) => {
      asked.push(apiKey);
      return new Promise((resolve, reject) => {
        finish = {
          done: () => {
            loaded.add(apiKey);
            resolve();
          },
          fail: reject,
        };
      });
    },
  };
});

afterEach(() => net.close());

test('a request waits until the code of its API is loaded, which is asked for once', async () => {
  const sent = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})];
  net.run();
  assert.deepEqual(asked, [ListGroups.key]);
  assert.equal(broker.requestsOf(ListGroups).length, 0);
  finish.done();
  await net.settled();
  assert.equal(broker.requestsOf(ListGroups).length, 2);
  broker.reply({ groups: [] });
  broker.reply({ groups: [] });
  net.run();
  assert.deepEqual(
    sent.map(({ state }) => state),
    ['succeeded', 'succeeded'],
  );
});

test('requests to the same node keep their order while code is loaded', async () => {
  net.app.send(1, ListGroups, {});
  net.app.send(1, FindCoordinator, { coordinatorKeys: ['g'] });
  net.run();
  assert.equal(broker.waiting.length, 0);
  finish.done();
  await net.settled();
  assert.deepEqual(
    broker.waiting.map(({ apiKey }) => apiKey),
    [ListGroups.key, FindCoordinator.key],
  );
  broker.reply({ groups: [] });
  broker.reply({ coordinators: [] });
  net.run();
});

test('a request whose code cannot be loaded fails with the reason, and the next one tries it again', async () => {
  const first = net.app.send(1, ListGroups, {});
  net.run();
  finish.fail(new Error('no such file'));
  await net.settled();
  assert.ok(first.error instanceof NodeNotReadyError);
  assert.match(first.error.message, /the code of ListGroups could not be loaded: no such file/);
  assert.ok(first.error.retriable);
  const second = net.app.send(1, ListGroups, {});
  net.run();
  assert.deepEqual(asked, [ListGroups.key, ListGroups.key]);
  finish.done();
  await net.settled();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(second.state, 'succeeded');
});

test('a request whose code is not loaded in time ends with its timeout, and the connection stays', () => {
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  net.advance(10_001);
  assert.ok(sent.error instanceof RequestTimedOutError);
  assert.match(sent.error.message, /ListGroups .* was not sent within 10000 ms: its code was not loaded in that time/);
  assert.ok(net.app.isConnected(1));
});
