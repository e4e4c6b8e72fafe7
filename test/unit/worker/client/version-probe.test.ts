// How the version of a broker without ApiVersions is found: 0.8 closes the connection for an unknown request, 0.9 does not answer it.
// And what is remembered.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  IncompatibleBrokerVersion,
  type KafkaClientError,
  KafkaConnectionError,
  NodeNotReadyError,
  UnrecognizedBrokerVersion,
} from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import {
  ApiVersions,
  FindCoordinator,
  ListGroups,
  Metadata,
  OffsetFetch,
  Produce,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, type FakeRequest, type Handler, metadataOf, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

afterEach(() => net.close());

const closes: Handler = ({ transport }) => {
  transport.end();
  return null;
};
const ignores: Handler = () => Buffer.alloc(0);

/** A broker of that version at `one:9092`, node 1. */
function open(version: '0.8.0' | '0.8.1' | '0.8.2' | '0.9', options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  beOf(version);
}

function beOf(version: '0.8.0' | '0.8.1' | '0.8.2' | '0.9'): void {
  const isUnknown = version === '0.9' ? ignores : closes;
  broker.handlers.set(ApiVersions.key, isUnknown);
  broker.handlers.set(ListGroups.key, version === '0.9' ? () => ({}) : isUnknown);
  // Without topics yet it forgets the correlation id.
  const byZero = (request: FakeRequest) => responseFrame(request, { errorCode: 15 }, { correlationId: 0 });
  broker.handlers.set(FindCoordinator.key, version === '0.8.2' ? byZero : isUnknown);
  broker.handlers.set(OffsetFetch.key, version === '0.8.1' ? () => ({}) : isUnknown);
}

/** A broker of today in its place, which answers whatever old clients ask. */
function upgrade(): FakeBroker {
  const upgraded = net.broker('one:9092');
  for (const { key } of [ListGroups, FindCoordinator, OffsetFetch]) upgraded.handlers.set(key, () => ({}));
  return upgraded;
}

/** What was asked, a list for each connection. */
function conversations(): string[][] {
  return broker.transports.map((transport) =>
    broker.requests.filter((request) => request.transport === transport).map(nameOf),
  );
}

function nameOf({ codec, version }: FakeRequest): string {
  return `${codec.name} ${version}`;
}

async function versionOf(nodeId: number): Promise<readonly number[] | KafkaClientError> {
  const asked = net.control.checkVersion(nodeId, 5000, false);
  await net.settled();
  await net.advanceSettled(5000);
  const result = await asked;
  return 'error' in result ? (fromPlainError(result.error) as KafkaClientError) : result.value.apiVersion;
}

const newest = `ApiVersions ${ApiVersions.maxVersion}`;
const stepsOf: Readonly<Record<'0.8.2' | '0.8.1' | '0.8.0', string[][]>> = {
  '0.8.2': [
    [newest],
    ['ApiVersions 0'],
    ['ListGroups 0'],
    ['FindCoordinator 0', 'ApiVersions 0'],
    ['FindCoordinator 0', 'ApiVersions 0'],
  ],
  '0.8.1': [
    [newest],
    ['ApiVersions 0'],
    ['ListGroups 0'],
    ['FindCoordinator 0'],
    ['OffsetFetch 0', 'ApiVersions 0'],
    ['OffsetFetch 0', 'ApiVersions 0'],
  ],
  '0.8.0': [
    [newest],
    ['ApiVersions 0'],
    ['ListGroups 0'],
    ['FindCoordinator 0'],
    ['OffsetFetch 0'],
    ['Metadata 0', 'ApiVersions 0'],
    ['Metadata 0', 'ApiVersions 0'],
  ],
};

for (const version of ['0.8.2', '0.8.1', '0.8.0'] as const) {
  test(`${version}, which closes on unknown requests, is found with one question for each connection`, async () => {
    open(version);
    assert.deepEqual(await versionOf(-1), version.split('.').map(Number));
    const known = stepsOf[version].length;
    const asked = conversations().slice(0, known);
    // Whatever was sent behind the request that ended a connection was never read.
    assert.deepEqual(
      asked.map((names, i) => names.slice(0, stepsOf[version][i]!.length)),
      stepsOf[version],
    );
    assert.equal(
      nameOf(broker.requests.findLast(({ transport }) => transport === broker.transports[known])!),
      'Metadata 0',
    );
    // The next connection follows at once: closing was the answer.
    assert.equal(net.attempts[known]!.at, net.attempts[known - 1]!.at);
  });
}

test('0.9, which is silent, is found by its answer to the request after ApiVersions', async () => {
  open('0.9');
  net.advance(499);
  assert.deepEqual(conversations(), [[newest]]);
  net.advance(1);
  assert.deepEqual(conversations()[0]!.slice(0, 2), [newest, 'Metadata 0']);
  assert.deepEqual(
    [...broker.requestsOf(Metadata)[0]!.body.topics].map(({ name }) => name),
    ['?'],
  );
  assert.deepEqual(await versionOf(-1), [0, 9]);
  assert.equal(broker.transports.length, 1);
});

test('the wait for a silent broker is shorter if less time is left', async () => {
  open('0.9', { apiVersionAutoTimeoutMs: 400 });
  const started = net.control.start();
  await net.settled();
  await net.advanceSettled(100);
  assert.deepEqual('value' in (await started), true);
});

test('a slow broker is not taken for an old one', async () => {
  open('0.9');
  broker.handlers.delete(ApiVersions.key);
  net.advance(600);
  assert.deepEqual(conversations(), [[newest, 'Metadata 0']]);
  broker.reply({ apiKeys: [{ apiKey: Produce.key, minVersion: 0, maxVersion: 9 }] });
  assert.deepEqual(await versionOf(-1), [2, 8]);
  assert.equal(broker.transports.length, 1);
});

test('a newer broker that dropped connections is not taken for an old one', async () => {
  net = new FakeNetwork();
  net.broker('one:9092', 1);
  broker = upgrade();
  let drops = 2;
  broker.onConnection = (transport) => {
    if (drops-- > 0) transport.end();
  };
  net.advance(1000);
  assert.deepEqual(await versionOf(-1), [4, 4]);
  assert.ok(conversations()[2]!.includes('ApiVersions 0'));
});

test('a newer broker whose connection ends between two answers is not taken for an old one', async () => {
  net = new FakeNetwork();
  net.broker('one:9092', 1);
  broker = upgrade();
  let connections = 0;
  broker.onConnection = (transport) => {
    if (++connections <= 2) transport.end();
  };
  const apiVersions = broker.handlers.get(ApiVersions.key)!;
  // The third ends behind the answer to ListGroups.
  broker.handlers.set(ApiVersions.key, (request) => (connections === 3 ? closes(request) : apiVersions(request)));
  net.advance(1000);
  assert.deepEqual(conversations()[2], ['ListGroups 0', 'ApiVersions 0', 'ListGroups 0']);
  assert.deepEqual(await versionOf(-1), [4, 4]);
  assert.equal(net.attempts[3]!.at, net.attempts[2]!.at, 'it was asked again at once');
});

test('a server that answers ApiVersions but not ListGroups is found, however often it has dropped connections', async () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  broker.handlers.set(ListGroups.key, ignores);
  let drops = 2;
  broker.onConnection = (transport) => {
    if (drops-- > 0) transport.end();
  };
  assert.deepEqual(await versionOf(-1), [4, 4]);
});

test('the version of an old broker is probed again after some minutes, by a new connection', async () => {
  for (const [minutes, isAsked] of [
    [4, false],
    [6, true],
  ] as const) {
    open('0.8.2', { connectionsMaxIdleMs: -1 });
    await versionOf(-1);
    net.ready(1);
    net.advance(minutes * 60_000);
    const upgraded = upgrade();
    broker.transport.end();
    net.advance(100);
    net.ready(1);
    assert.equal(upgraded.requestsOf(ApiVersions).length > 0, isAsked, `after ${minutes} minutes`);
    await net.close();
  }
});

test('a server that resets connections at a newer ApiVersions is asked in its own version from then on, and no warning is logged', async () => {
  net = new FakeNetwork({ bootstrapServers: 'one:9092,two:9092' });
  for (const [i, address] of ['one:9092', 'two:9092'].entries()) {
    const hub = net.broker(address, i + 1);
    // The second one speaks the newest, so that what was heard last does not fit both.
    if (i === 0) hub.ranges.set(ApiVersions.key, { min: 0, max: 3 });
    const apiVersions = hub.handlers.get(ApiVersions.key)!;
    if (i === 0)
      hub.handlers.set(ApiVersions.key, (request) => (request.version > 3 ? closes(request) : apiVersions(request)));
    broker = i === 0 ? hub : broker;
  }
  for (const nodeId of [-1, 1, 2]) assert.ok(Array.isArray(await versionOf(nodeId)));
  for (let i = 0; i < 5; i++) {
    const before = broker.transports.length;
    net.app.disconnect(1);
    net.app.disconnect(2);
    net.run();
    net.ready(2);
    net.ready(1);
    assert.equal(broker.transports.length - before, 1, 'no connection was lost over it');
  }
  const levels = net.logs.flatMap(({ records }) => records).map(({ level }) => level);
  assert.ok(!levels.includes('warn') && !levels.includes('error'), levels.join());
});

test('other nodes are asked in the version that worked last, and are ready after one request', async () => {
  open('0.9');
  net.advance(500);
  net.ready(1);
  assert.deepEqual(conversations()[1]!.slice(0, 3), ['ListGroups 0', 'ApiVersions 0', 'ListGroups 0']);
});

test('a broker is not probed again when it is connected again', async () => {
  open('0.8.2');
  await versionOf(-1);
  net.ready(1);
  const before = broker.transports.length;
  broker.transport.end();
  net.run();
  net.advance(100);
  net.ready(1);
  assert.deepEqual(
    conversations()
      .slice(before)
      .flat()
      .filter((name) => name !== 'Metadata 0'),
    [],
  );
});

test('a broker that was replaced by a newer one is probed again after it could not be reached', async () => {
  open('0.8.2');
  await versionOf(-1);
  net.ready(1);
  net.serve('one:9092', 'refuses');
  broker.transport.end();
  net.advance(500);
  upgrade();
  assert.deepEqual(await versionOf(1), [4, 4]);
});

test('a broker that closes on a request of its known version is probed again', async () => {
  open('0.8.2');
  await versionOf(-1);
  net.ready(1);
  // Upgraded within a moment: nobody saw it gone.
  const upgraded = upgrade();
  upgraded.handlers.set(Metadata.key, (request) => (request.version === 0 ? closes(request) : metadataOf(net.cluster)));
  broker.transport.end();
  net.advance(3000);
  assert.deepEqual(await versionOf(1), [4, 4]);
});

test('requests use only versions that an old broker has', async () => {
  open('0.8.2');
  await versionOf(-1);
  net.ready(1);
  const old = net.app.send(1, FindCoordinator, { key: 'group' });
  const unknown = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(broker.requests.at(-1)!.version, 0);
  assert.ok(old.response !== undefined, 'answered with correlation id 0');
  assert.ok(unknown.error instanceof IncompatibleBrokerVersion);
});

test('correlation id 0 in a response is accepted only from an old broker', () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  net.ready(1);
  broker.handlers.set(FindCoordinator.key, (request) => responseFrame(request, {}, { correlationId: 0 }));
  const sent = net.app.send(1, FindCoordinator, { key: 'group' }, { version: 0 });
  net.run();
  assert.equal(sent.error?.name, 'CorrelationIdError');
});

test('an answer that carries an error code is an answer', async () => {
  open('0.8.2');
  broker.handlers.set(FindCoordinator.key, (request) => responseFrame(request, { errorCode: 15 }));
  assert.deepEqual(await versionOf(-1), [0, 8, 2]);
  await net.close();
  open('0.8.1');
  broker.handlers.set(ListGroups.key, () => ({ errorCode: 15 }));
  assert.deepEqual(await versionOf(-1), [0, 9]);
});

test('a server that closes at every question is not a known broker', async () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  broker.onConnection = (transport) => transport.end();
  const error = await versionOf(-1);
  assert.ok(error instanceof UnrecognizedBrokerVersion);
  assert.match(error.message, /closed the connection before it answered ApiVersions/);
  assert.match(error.message, /nor did it answer anything that older brokers know/);
  assert.equal(error.retriable, true, 'a broker that is full or restarts closes as well');
});

test('a known broker that now closes at every question is still a broker, which may have too many connections', () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  net.ready(1);
  broker.onConnection = (transport) => transport.end();
  broker.transport.end();
  net.advance(20_000);
  assert.ok(broker.transports.length > 10);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  const cause = sent.error!.cause as KafkaClientError;
  assert.ok(cause instanceof KafkaConnectionError, String(cause));
  assert.equal(cause.retriable, true);
  assert.match(cause.message, /max\.connections\.per\.ip.* not be a Kafka broker \[KAFKA_\w+\]$/);
});

test('an attempt to a server that is silent at every question ends at the setup timeout', async () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  broker.answers = false;
  net.advance(10_000);
  assert.equal(broker.transports[0]!.isDestroyed, true);
  assert.deepEqual(conversations()[0], [newest, 'Metadata 0']);
  const sent = net.app.send(-1, ListGroups, {});
  net.run();
  assert.match(String(sent.error.cause), /did not finish in time/);
});

test('with an apiVersion below 0.10 nothing is probed, and failures count until a request is answered', () => {
  open('0.8.2', { apiVersion: [0, 8, 2], reconnectBackoffMs: 50 });
  broker.handlers.set(Metadata.key, closes);
  net.advance(3000);
  assert.deepEqual(
    conversations()
      .flat()
      .filter((name) => name !== 'Metadata 0'),
    [],
  );
  const gaps = net.attempts.slice(1, 6).map(({ at }, i) => Math.round(at - net.attempts[i]!.at));
  assert.ok(gaps.at(-1)! >= 400, `the backoff does not grow: ${gaps}`);
});

test('apiVersion limits what is used of a newer broker', () => {
  net = new FakeNetwork({ apiVersion: [2, 0] });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  const newer = net.app.send(1, ListGroups, {}, { version: 3 });
  net.run();
  assert.equal(broker.requests.at(-1)!.version, 2);
  assert.equal(newer.error?.name, 'UnsupportedVersionError');
  assert.equal(broker.requestsOf(Metadata).at(-1)!.version, 6);
});

test('an API that brokers of the configured apiVersion do not have is refused', () => {
  net = new FakeNetwork({ apiVersion: [0, 9] });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  const sent = net.app.send(1, ApiVersions, {});
  net.run();
  assert.ok(sent.error instanceof IncompatibleBrokerVersion, String(sent.error));
  assert.ok(!(sent.error instanceof NodeNotReadyError));
});
