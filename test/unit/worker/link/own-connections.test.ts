// Attachments with connections of their own: what goes over them, what others see of them, and when they end.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { parseProducerConfig } from '../../../../src/common/config/producer-config.ts';
import { Cancelled, TooManyInFlightRequests, TooManyOpenError } from '../../../../src/common/errors/errors.ts';
import { coordinatorNodeId, maxScopes, nodeKey, partsOfKey } from '../../../../src/common/node-ids.ts';
import { createProducerMemory } from '../../../../src/main/producer/producer-memory.ts';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import type { FakeApplication } from '../support/fake-application.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker, FakeTransport } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;
/** The application with connections of its own. */
let own: FakeApplication;

beforeEach(async () => {
  net = new FakeNetwork({
    metadataMaxAgeMs: 1_000_000,
    connectionsMaxIdleMs: -1,
    retryBackoffMs: 0,
    responseRingBytes: 4096,
    spillBytes: 1024,
    spillBudgetBytes: 64 * 1024,
    maxInFlightRequestsPerConnection: 100,
  });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  own = await net.attachOwn();
  net.run();
});

afterEach(() => net.close());

function connect(nodeId = 1): FakeTransport {
  own.connect(nodeId);
  net.run();
  assert.ok(own.isConnected(nodeId), `node ${nodeId} is not ready`);
  return broker.transport;
}

function openTransports(): number {
  return net.transports.filter(({ isDestroyed }) => !isDestroyed).length;
}

function rowsOf(app: FakeApplication): number {
  const { counters } = app.end;
  return counters.allRows().filter(({ row }) => counters.scope(row) !== 0).length;
}

test('its requests use its own connection, and requests of others do not', () => {
  const shared = broker.transport;
  assert.ok(!own.isConnected(1), 'its own connection is not there yet');
  const mine = connect();
  assert.notEqual(mine, shared);
  const sent = own.send(1, ListGroups, {});
  const theirs = net.app.send(1, ListGroups, {});
  net.run();
  const [first, second] = broker.waiting;
  assert.deepEqual([first!.transport, second!.transport].map((one) => one === mine).sort(), [false, true]);
  // Each has its own order of answers.
  broker.reply({ groups: [] }, first!.transport === mine ? first! : second!);
  net.run();
  assert.deepEqual([sent.state, theirs.state], ['succeeded', 'open']);
  broker.reply({ groups: [] });
  net.run();
});

test('a producer that could not be opened does not keep its connections', async () => {
  connect();
  const before = openTransports();
  const config = parseProducerConfig({}, () => {});
  const { application, network, batchMemoryBytes } = createProducerMemory(
    config,
    createDoorbell(),
    createCounters(),
    false,
  );
  const broken = { ...network, link: { ...network.link, requestRing: new SharedArrayBuffer(64) } };
  const opened = await net.controlOf(own).openProducer(config, { batchMemoryBytes, metrics: null }, broken);
  assert.ok('error' in opened, JSON.stringify(opened));
  for (const port of [application.link.bodyPort, application.link.sparePort, application.lifePort]) port.close();
  net.detach(own);
  net.run();
  assert.equal(openTransports(), before - 1);
});

test('its connections have their own limit of requests in flight', () => {
  connect();
  const theirs = Array.from({ length: 100 }, () => net.app.send(1, ListGroups, {}));
  net.run();
  const refused = net.app.send(1, ListGroups, {});
  const mine = Array.from({ length: 101 }, () => own.send(1, ListGroups, {}));
  net.run();
  assert.ok(refused.error instanceof TooManyInFlightRequests);
  assert.deepEqual(
    mine.map(({ state }) => state),
    [...Array.from({ length: 100 }, () => 'open'), 'failed'],
  );
  assert.equal(mine[100]!.error.nodeId, 1, 'the error has the id that the application used');
  while (broker.waiting.length > 0) broker.reply({ groups: [] });
  net.run();
  assert.ok(theirs.every(({ state }) => state === 'succeeded'));
});

test('a client that does not read stops only its own connection, and nothing is moved aside for it', () => {
  connect();
  const many = Array.from({ length: 40 }, () => own.send(1, ListGroups, {}));
  net.run();
  own.isReading = false;
  for (let i = 0; i < 40; i++) broker.reply({ groups: [{ groupId: `${i} ${'x'.repeat(100)}` }] });
  net.run();
  const mutedConnections = (): number => net.metrics().total('mutedConnections');
  net.advance(1);
  assert.equal(mutedConnections(), 1, 'the broker has to wait');
  const theirs = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(theirs.state, 'succeeded');
  own.isReading = true;
  net.run();
  assert.ok(many.every(({ state }) => state === 'succeeded'));
  net.advance(1);
  assert.equal(mutedConnections(), 0);
});

test('it has its own lanes and coordinators too, and shares bootstrap servers', async () => {
  const main = connect();
  const coordinator = connect(coordinatorNodeId(1));
  const waiting = net.controlOf(own).awaitReady(1, 1000, 'fetch');
  await net.settled();
  assert.ok('value' in (await waiting));
  const lane = broker.transport;
  assert.equal(new Set([main, coordinator, lane]).size, 3);
  const laneNode = own.end.counters.laneNodeId(1, 'fetch')!;
  assert.ok(own.isConnected(laneNode));
  assert.equal(net.app.end.counters.laneNodeId(1, 'fetch'), null, 'others have no such lane');
  assert.ok(!net.app.isConnected(coordinatorNodeId(1)));
  assert.equal(rowsOf(net.app), 3, 'but the table shows them to all');
  own.send(laneNode, ListGroups, {});
  net.run();
  assert.equal(broker.waiting[0]!.transport, lane);
  broker.reply({ groups: [] });
  const before = openTransports();
  own.connect(-1);
  net.run();
  assert.equal(own.isConnected(-1), net.app.isConnected(-1));
  assert.ok(openTransports() <= before + 1);
});

test('close(nodeId) ends the connection of the caller and no other', () => {
  connect();
  const mine = own.send(1, ListGroups, {});
  const theirs = net.app.send(1, ListGroups, {});
  net.run();
  own.disconnect(1);
  net.run();
  assert.ok(mine.error instanceof Cancelled);
  assert.ok(net.app.isConnected(1) && theirs.state === 'open');
  connect();
  const again = own.send(1, ListGroups, {});
  net.run();
  net.app.disconnect(1);
  net.run();
  assert.ok(theirs.error instanceof Cancelled);
  assert.ok(own.isConnected(1) && again.state === 'open');
  broker.reply({ groups: [] }, broker.waiting.at(-1));
  net.run();
  net.ready(1);
});

test('when it ends, idle connections are closed at once and others when their requests are answered, and then its number is free', async () => {
  const idle = connect(coordinatorNodeId(1));
  const busy = connect();
  own.send(1, ListGroups, {});
  net.run();
  const { counters } = net.app.end;
  const scope = counters.scope(counters.allRows().at(-1)!.row);
  net.detach(own);
  net.run();
  assert.ok(idle.isDestroyed);
  assert.ok(!busy.isDestroyed, 'what was sent is still answered');
  const next = await net.attachOwn();
  assert.ok(!next.isConnected(1), 'nothing of the former one is seen');
  broker.reply({ groups: [] });
  net.run();
  net.advance(1);
  assert.ok(busy.isDestroyed);
  assert.equal(rowsOf(net.app), 0, 'its rows are free');
  const third = await net.attachOwn();
  third.connect(1);
  net.run();
  assert.equal(counters.scope(counters.allRows().find(({ row }) => counters.scope(row) !== 0)!.row), scope);
});

test('a client that ends while it does not read leaves no connection', () => {
  const mine = connect();
  for (let i = 0; i < 40; i++) own.send(1, ListGroups, {});
  net.run();
  own.isReading = false;
  for (let i = 0; i < 40; i++) broker.reply({ groups: [{ groupId: `${i} ${'x'.repeat(100)}` }] });
  net.run();
  assert.ok(own.sent.some(({ state }) => state === 'open'));
  net.detach(own);
  net.run();
  net.advance(1);
  assert.ok(mine.isDestroyed);
  assert.equal(rowsOf(net.app), 0);
});

test('its connections follow their broker to another address', () => {
  const former = connect();
  const before = own.send(1, ListGroups, {});
  net.run();
  const moved = net.broker('two:9092');
  net.cluster.brokers = [{ id: 1, host: 'two', port: 9092 }];
  void net.control.refreshMetadata(null, false);
  net.advance(1000);
  assert.ok(own.isConnected(1), 'nobody had to ask for the new connection');
  const after = own.send(1, ListGroups, {});
  net.run();
  moved.reply({ groups: [] });
  net.run();
  assert.deepEqual([before.state, after.state], ['open', 'succeeded']);
  broker.reply(
    { groups: [] },
    broker.waiting.find(({ transport }) => transport === former),
  );
  net.run();
  net.advance(1);
  assert.ok(former.isDestroyed);
  assert.ok(own.isConnected(1), 'its row stays');
});

test('a wait for a connection of an ended client opens no connection', async () => {
  net.serve('one:9092', 'silent');
  const waiting = net.controlOf(own).awaitReady(1, 500);
  net.run();
  net.detach(own);
  net.serve('one:9092', broker);
  const attempts = net.attempts.length;
  await net.advanceSettled(1000);
  assert.ok('error' in (await waiting));
  assert.equal(net.attempts.length, attempts);
  assert.ok('error' in (await net.controlOf(own).awaitReady(1, 500)), 'and none can be asked for');
});

test('it can ask for own connections twice, but not after its end', async () => {
  const first = await net.controlOf(own).hello('own');
  assert.deepEqual(await net.controlOf(own).hello('own'), first);
  assert.deepEqual(await net.controlOf(net.attach()).hello('shared'), { value: 0 });
  net.detach(own);
  assert.ok('error' in (await net.controlOf(own).hello('own')));
});

test('the number of such clients is limited, and connections that still await answers count', async () => {
  connect();
  own.send(1, ListGroups, {});
  net.run();
  for (let i = 1; i < maxScopes; i++) await net.attachOwn();
  net.detach(own);
  const late = net.attach();
  const said = await net.controlOf(late).hello('own');
  assert.ok('error' in said && said.error.name === TooManyOpenError.name, JSON.stringify(said));
  assert.match(said.error.message, /1023 clients and consumers/);
  broker.reply({ groups: [] });
  net.run();
  net.advance(1);
  assert.ok('value' in (await net.controlOf(late).hello('own')));
});

test('keys are different for nodes of different scopes, and can be split again', () => {
  const ids = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), -(2 ** 30)];
  const keys = new Set<number>();
  for (const scope of [0, 1, maxScopes]) {
    for (const nodeId of ids) {
      const key = nodeKey(nodeId, scope);
      assert.deepEqual(partsOfKey(key), { nodeId, scope });
      keys.add(key);
    }
  }
  assert.equal(keys.size, 3 * ids.length);
  assert.equal(nodeKey(5, 0), 5);
});

test('they end with it, too, when a producer could not be opened on them', async () => {
  connect();
  const config = parseProducerConfig({}, () => {});
  const { network } = createProducerMemory(config, createDoorbell(), createCounters());
  const opening = { batchMemoryBytes: 1 << 20, metrics: null };
  // Its package is not there.
  const unusable = { ...config, compressionType: 'unknown' };
  const refused = await net.controlOf(own).openProducer(unusable, opening, network);
  assert.ok('error' in refused && /codec/.test(refused.error.message), JSON.stringify(refused));
  const before = openTransports();
  net.detach(own);
  net.run();
  assert.equal(openTransports(), before - 1);
});
