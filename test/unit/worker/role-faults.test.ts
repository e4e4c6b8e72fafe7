// A role that throws in its turn ends alone: its threads are told, and the network thread goes on for everybody else.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { mainLane, sharedScope } from '../../../src/common/node-ids.ts';
import { TrackKind } from '../../../src/common/record-tracking.ts';
import { Fetch, ListGroups, Produce } from '../../../src/protocol/flat/generated/apis.ts';
import { consumerCallFrame } from '../../../src/ring/frames/consumer-frames.ts';
import { writeFrame } from '../../../src/ring/frames/frame.ts';
import { topicFrame } from '../../../src/ring/frames/record-frames.ts';
import { ConsumerSnapshotWriter } from '../../../src/state/consumer-snapshot.ts';
import type { BrokerRequest } from '../../../src/worker/client/broker-requests.ts';
import type { NodeRequests } from '../../../src/worker/client/node-requests.ts';
import type { Role, RoleHost } from '../../../src/worker/client/role.ts';
import { ConsumerRole } from '../../../src/worker/consumer/consumer-role.ts';
import { Dealer } from '../../../src/worker/consumer/dealer.ts';
import { Accumulator } from '../../../src/worker/producer/accumulator.ts';
import { ProducerRole } from '../../../src/worker/producer/producer-role.ts';
import { FakeNetwork } from './support/fake-network.ts';
import type { FakeBroker } from './support/fake-peer.ts';
import {
  answerFetch,
  leadsTopic,
  openConsumerLink,
  openProducerLink,
  postRecord,
  waitingOf,
} from './support/role-links.ts';

let net: FakeNetwork;
let broker: FakeBroker;
const ports: MessagePort[] = [];

beforeEach(() => {
  net = new FakeNetwork({});
  broker = net.broker('one:9092', 1);
  net.ready(1);
});

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

/** The memory of all big answers was given back. */
async function hasNoFrame(): Promise<void> {
  const told = await net.control.memory();
  assert.ok('value' in told, JSON.stringify(told));
  const open = net.transports.filter(({ isDestroyed }) => !isDestroyed);
  assert.equal(told.value.parts.receive.usedBytes, open.length * 64 * 1024, 'the chunks of connections');
}

/** Requests are answered, and nothing more is asked of what has failed. */
function othersWork(): void {
  assert.deepEqual([net.fatal, net.broken], [[], []]);
  for (let i = 0; i < 2; i++) {
    const sent = net.app.send(1, ListGroups, {});
    net.run();
    broker.reply({ groups: [] });
    net.run();
    assert.equal(sent.state, 'succeeded');
  }
}

test('a role that throws is reported once and no longer called, and other roles go on', () => {
  const failures: string[] = [];
  let turns = 0;
  let calls = 0;
  const bad: Role = {
    poll: () => {
      calls++;
      throw Object.create(null);
    },
    nextDeadline: () => Number.POSITIVE_INFINITY,
    fail: (error) => failures.push(error.message),
  };
  const good: Role = { poll: () => void turns++, nextDeadline: () => Number.POSITIVE_INFINITY };
  net.thread.roles.add(bad);
  net.thread.roles.add(good);
  net.thread.roleHost.wake();
  net.run();
  othersWork();
  assert.equal(calls, 1);
  assert.ok(turns > 1);
  assert.equal(failures.length, 1);
});

test('a consumer without memory for its state ends with a reason', async (t) => {
  const { end, told } = await openConsumerLink(net.control, ports);
  t.mock.method(ConsumerSnapshotWriter.prototype, 'write', () => {
    throw new RangeError('Array buffer allocation failed');
  });
  // Its state has changed.
  const call = { op: 'pause', partitions: null } as const;
  assert.ok(writeFrame(end.requests, consumerCallFrame({ callId: 1, call })));
  net.thread.loop.wake();
  net.advance(1000);
  assert.match(JSON.stringify(told()), /NetworkThreadError.*the consumer has ended by a fault/);
  othersWork();
  end.close();
});

test('a producer that throws ends with a reason', async () => {
  const host = net.thread.roleHost as { wallClock: RoleHost['wallClock'] };
  const { wallClock } = host;
  host.wallClock = () => {
    throw new RangeError('Array buffer allocation failed');
  };
  const { end, told } = await openProducerLink(net.control, ports);
  net.thread.roleHost.wake();
  net.run();
  host.wallClock = wallClock;
  assert.match(JSON.stringify(told()), /NetworkThreadError.*the producer has ended by a fault.*allocation failed/);
  othersWork();
  end.close();
});

test('a consumer that throws, in a state in which it cannot let its threads go, gives back the memory of its fetches', async (t) => {
  leadsTopic(net, broker);
  const { end, told } = await openConsumerLink(net.control, ports);
  net.advance(1000);
  const thrown = (): never => {
    throw new RangeError('Array buffer allocation failed');
  };
  t.mock.method(ConsumerRole.prototype, 'remove', thrown);
  const fault = t.mock.method(Dealer.prototype, 'poll', thrown);
  answerFetch(broker, 200_000);
  net.run();
  assert.equal(fault.mock.callCount(), 1);
  assert.match(JSON.stringify(told()), /NetworkThreadError.*the consumer has ended by a fault/);
  await hasNoFrame();
  broker.takeWaiting();
  othersWork();
  end.close();
});

test('a producer that throws is told of no later answer and of no metadata', async (t) => {
  leadsTopic(net, broker);
  const { cluster } = net.thread.roleHost;
  const listening = new Set<object>();
  const onUpdate = cluster.onUpdate.bind(cluster);
  t.mock.method(cluster, 'onUpdate', (listener: (now: number) => void) => {
    listening.add(listener);
    const stop = onUpdate(listener);
    return () => {
      listening.delete(listener);
      stop();
    };
  });
  const { end, told } = await openProducerLink(net.control, ports);
  assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  assert.ok(postRecord(end.requests));
  net.thread.loop.wake();
  net.advance(1000);
  const produce = waitingOf(broker, Produce);
  const settle = t.mock.method(Accumulator.prototype, 'settle');
  t.mock.method(ProducerRole.prototype, 'poll', () => {
    throw new RangeError('Array buffer allocation failed');
  });
  assert.ok(listening.size > 0);
  net.thread.roleHost.wake();
  net.run();
  assert.match(JSON.stringify(told()), /NetworkThreadError.*the producer has ended by a fault/);
  assert.equal(listening.size, 0);
  broker.reply({ responses: [{ name: 't', partitionResponses: [{ index: 0, baseOffset: 0n }] }] }, produce);
  net.run();
  assert.equal(settle.mock.callCount(), 0);
  othersWork();
  end.close();
});

test('a thread whose producer has thrown is not watched because of it: it does not read the link any more', async (t) => {
  await net.close();
  net = new FakeNetwork({ blockedThreadWarnMs: 1000 });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  leadsTopic(net, broker);
  const { end } = await openProducerLink(net.control, ports);
  assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  assert.ok(postRecord(end.requests, { kind: TrackKind.SINGLE, trackId: 1 }));
  net.thread.loop.wake();
  net.advance(100);
  const written = { responses: [{ name: 't', partitionResponses: [{ index: 0, baseOffset: 0n }] }] };
  broker.reply(written, waitingOf(broker, Produce));
  net.run();
  assert.ok(!end.responses.isEmpty(), 'the outcome of its record is there');
  t.mock.method(ProducerRole.prototype, 'poll', () => {
    throw new RangeError('Array buffer allocation failed');
  });
  net.thread.roleHost.wake();
  net.run();
  net.advance(10_000);
  assert.equal(net.metrics().total('blockedThreads'), 0);
  othersWork();
  end.close();
});

test('when a role has ended it is told of no answer, and the memory of answers is given back', async () => {
  const requests = (net.thread.roleHost.requests as NodeRequests).inScope(sharedScope);
  const told: unknown[] = [];
  const ask = (changes: Partial<BrokerRequest>): void =>
    requests.send(
      {
        to: { brokerId: 1, lane: mainLane },
        api: ListGroups as BrokerRequest['api'],
        request: {},
        timeoutMs: 1000,
        onResponse: (response) => told.push(response),
        onFailure: (error) => told.push(error),
        ...changes,
      },
      net.now,
    );
  const fetch = {
    api: Fetch as BrokerRequest['api'],
    maxVersion: 12,
    request: { maxWaitMs: 0, minBytes: 0, topics: [] },
  };
  ask({ ...fetch, records: 'lent' });
  ask({});
  ask({ encodeBody: () => [Buffer.from([1, 1, 0])], onBodyFree: () => told.push('its memory is free') });
  net.run();
  requests.end();
  const records = Buffer.alloc(200_000);
  broker.reply({ responses: [{ topic: 't', partitions: [{ partitionIndex: 0, records }] }] });
  broker.reply({ groups: [] });
  net.run();
  await hasNoFrame();
  broker.transport.end();
  net.run();
  assert.deepEqual(told, []);
});

test('the memory of a big answer that cannot be read is given back', async () => {
  const requests = (net.thread.roleHost.requests as NodeRequests).inScope(sharedScope);
  broker.handlers.set(Fetch.key, ({ correlationId }) => {
    const frame = Buffer.alloc(200_000, 0xff);
    frame.writeInt32BE(frame.length - 4, 0);
    frame.writeInt32BE(correlationId, 4);
    return frame;
  });
  const failures: string[] = [];
  const fetch = { maxWaitMs: 0, minBytes: 0, topics: [] };
  const to = { brokerId: 1, lane: mainLane };
  const limits = { timeoutMs: 1000, maxVersion: 11, records: 'lent' } as const;
  const onFailure = (error: Error): void => void failures.push(error.name);
  requests.send({ to, api: Fetch, request: fetch, ...limits, onResponse: () => assert.fail(), onFailure }, net.now);
  net.run();
  assert.deepEqual(failures, ['KafkaProtocolError']);
  await hasNoFrame();
});
