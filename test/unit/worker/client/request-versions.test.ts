// Versions of requests through a whole network thread: which requests fail because the broker or the request does not fit.

import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  IncompatibleBrokerVersion,
  InvalidRequestError,
  UnsupportedVersionError,
} from '../../../../src/common/errors/errors.ts';
import { DescribeConfigs, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, range } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

/** One broker, connected as node 1. */
function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

afterEach(() => {
  mock.restoreAll();
  net.close();
});

const groupsOf = (...ids: string[]) => ({ groups: ids.map((groupId) => ({ groupId })) });

function groupIds(request: { view: { groups: Iterable<{ groupId: string }> } }): string[] {
  return [...request.view.groups].map(({ groupId }) => groupId);
}

test('a version that the broker does not have fails only that request', () => {
  start();
  broker.ranges.set(ListGroups.key, range(1, 3));
  net.app.disconnect(1);
  net.ready(1);
  const tooHigh = net.app.send(1, ListGroups, {}, { version: 4 });
  const tooLow = net.app.send(1, ListGroups, {}, { version: 0 });
  const fits = net.app.send(1, ListGroups, {}, { version: 2 });
  net.run();
  for (const { error } of [tooHigh, tooLow]) {
    assert.ok(error instanceof UnsupportedVersionError);
    assert.match(error.message, /the broker supports 1 to 3, this client 0 to 5/);
    assert.equal(error.nodeId, 1);
  }
  assert.equal(broker.waiting[0]!.version, 2);
  assert.equal(fits.state, 'open');
});

test('an API that the broker does not have or that has no common version fails before anything is written', () => {
  start();
  broker.ranges.delete(DescribeConfigs.key);
  broker.ranges.set(ListGroups.key, range(90, 99));
  net.app.disconnect(1);
  net.ready(1);
  const absent = net.app.send(1, DescribeConfigs, { resources: [] });
  const newer = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(absent.error instanceof IncompatibleBrokerVersion);
  assert.match(absent.error.message, /does not support DescribeConfigs \(API key 32\)/);
  assert.ok(newer.error instanceof IncompatibleBrokerVersion);
  assert.match(newer.error.message, /90 to 99/);
  assert.equal(broker.waiting.length, 0);
  assert.ok(net.app.isConnected(1));
});

test('an unknown API key fails its request, but not the thread', () => {
  start();
  const odd = { ...plainApi(ListGroups), key: 9999 };
  const sent = net.app.send(1, odd, {});
  const next = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(sent.error instanceof UnsupportedVersionError);
  assert.match(sent.error.message, /unknown API key 9999/);
  assert.equal(next.state, 'open');
});

test('a request that does not fit its version fails, and the next request is sent', () => {
  start();
  // A transactional id exists from version 3 on, and version 2 must not drop it silently.
  const request = { acks: -1, timeoutMs: 1000, transactionalId: 'tx', topicData: [] };
  const refused = net.app.send(1, Produce, request, { version: 2 });
  const next = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(refused.error instanceof InvalidRequestError, refused.error.name);
  assert.equal(refused.error.nodeId, 1);
  assert.equal(broker.waiting.length, 1);
  broker.reply(groupsOf('fine'));
  net.run();
  assert.deepEqual(groupIds(next), ['fine']);
});

/** The parts of an API object that an application uses, so that some can be changed. */
function plainApi<Request, Response>(api: {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly flexibleVersion: number;
  readonly latestVersionUnstable: boolean;
  writeRequest(w: never, request: Request): void;
  readResponse(message: never): Response;
  writeResponse(w: never, response: never): void;
  readRequest(message: never): unknown;
}) {
  const { key, name, minVersion, maxVersion, flexibleVersion, latestVersionUnstable } = api;
  return {
    key,
    name,
    minVersion,
    maxVersion,
    flexibleVersion,
    latestVersionUnstable,
    writeRequest: (w: unknown, request: Request) => api.writeRequest(w as never, request),
    readResponse: (message: unknown) => api.readResponse(message as never),
    writeResponse: (w: unknown, response: unknown) => api.writeResponse(w as never, response as never),
    readRequest: (message: unknown) => api.readRequest(message as never),
  };
}
