// A role that throws outside of its turn ends alone, wherever it was called: its threads are told, its memory is given back, connections
// stay, and the network thread goes on for everybody else.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { mainLane, sharedScope } from '../../../src/common/node-ids.ts';
import { Fetch, ListGroups, Produce } from '../../../src/protocol/flat/generated/apis.ts';
import { writeFrame } from '../../../src/ring/frames/frame.ts';
import { topicFrame } from '../../../src/ring/frames/record-frames.ts';
import { AdminRole } from '../../../src/worker/admin/admin-role.ts';
import type { BrokerRequest } from '../../../src/worker/client/broker-requests.ts';
import type { NodeRequests } from '../../../src/worker/client/node-requests.ts';
import type { Role } from '../../../src/worker/client/role.ts';
import { ConsumerRole } from '../../../src/worker/consumer/consumer-role.ts';
import { Dealer } from '../../../src/worker/consumer/dealer.ts';
import { FetchedMemory } from '../../../src/worker/consumer/fetched-memory.ts';
import { Fetcher } from '../../../src/worker/consumer/fetcher.ts';
import { ConsumerLinks } from '../../../src/worker/link/consumer-links.ts';
import { ProduceRequest } from '../../../src/worker/producer/produce-request.ts';
import { ProducerBatch } from '../../../src/worker/producer/producer-batch.ts';
import { ProducerRole } from '../../../src/worker/producer/producer-role.ts';
import { FakeCodecThreads } from './support/fake-codec-threads.ts';
import { FakeNetwork } from './support/fake-network.ts';
import type { FakeBroker } from './support/fake-peer.ts';
import {
  answerFetch,
  leadsTopic,
  openConsumerLink,
  openProducerLink,
  type ProducerEnd,
  postRecord,
  waitingOf,
} from './support/role-links.ts';

const infinity = Number.POSITIVE_INFINITY;
const noMemory = 'Array buffer allocation failed';
const ports: MessagePort[] = [];
let net: FakeNetwork;
let broker: FakeBroker;

beforeEach(() => start());

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

function start(threads: FakeCodecThreads | null = null): void {
  net = new FakeNetwork({}, threads, { codecPoolThresholdBytes: 1024 });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  leadsTopic(net, broker);
}

function thrown(): never {
  throw new RangeError(noMemory);
}

/** Requests are answered, over the connections that there were. */
function othersWork(): void {
  assert.deepEqual([net.fatal, net.broken], [[], []]);
  const attempts = net.attempts.length;
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] }, waitingOf(broker, ListGroups));
  net.run();
  assert.equal(sent.state, 'succeeded');
  assert.equal(net.attempts.length, attempts);
}

function hasEnded(what: 'producer' | 'consumer', told: () => unknown): void {
  assert.match(JSON.stringify(told()), new RegExp(`NetworkThreadError.*the ${what} has ended by a fault.*${noMemory}`));
  assert.equal(told(), undefined, 'told once');
  othersWork();
}

/** A producer whose record is under way. */
async function producing(): Promise<ProducerEnd> {
  const producer = await openProducerLink(net.control, ports);
  assert.ok(writeFrame(producer.end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  assert.ok(postRecord(producer.end.requests));
  net.thread.loop.wake();
  net.advance(1000);
  return producer;
}

describe('what is asked of every role', () => {
  const faults: Readonly<Record<string, Partial<Role>>> = {
    nextDeadline: { nextDeadline: thrown },
    hasWork: { hasWork: thrown },
    wasLate: { wasLate: thrown, nextDeadline: () => 10_000 },
    dozeMs: {
      get dozeMs() {
        return thrown();
      },
    },
    'its turn, and again when it is ended': { poll: thrown },
  };
  for (const [what, fault] of Object.entries(faults)) {
    test(`${what}: a role that throws in it ends once, and others go on`, () => {
      const failures: string[] = [];
      let calls = 0;
      let turns = 0;
      const role: Role = {
        poll: () => void calls++,
        nextDeadline: () => infinity,
        fail: (error) => {
          failures.push(error.message);
          if ('poll' in fault) thrown();
        },
      };
      net.thread.roles.add(Object.defineProperties(role, Object.getOwnPropertyDescriptors(fault)));
      net.thread.roles.add({ poll: () => void turns++, nextDeadline: () => infinity });
      net.thread.loop.wake();
      net.run();
      net.now += 60_000;
      net.advance(0);
      assert.deepEqual(failures, [noMemory]);
      [calls, turns] = [0, 0];
      othersWork();
      assert.equal(calls, 0);
      assert.ok(turns > 0);
    });
  }
});

test('a producer that throws when it is asked for its deadline ends with a reason', async (t) => {
  const { end, told } = await openProducerLink(net.control, ports);
  t.mock.method(ProducerRole.prototype, 'nextDeadline', thrown);
  net.thread.loop.wake();
  net.run();
  hasEnded('producer', told);
  end.close();
});

test('a consumer that throws when it is asked for its deadline gives back the memory of its fetches', async (t) => {
  const { end, told } = await openConsumerLink(net.control, ports);
  net.advance(1000);
  t.mock.method(Dealer.prototype, 'poll', () => {
    t.mock.method(ConsumerRole.prototype, 'nextDeadline', thrown);
    return false;
  });
  answerFetch(broker, 200_000);
  net.run();
  const memory = await net.control.memory();
  assert.ok('value' in memory, JSON.stringify(memory));
  const open = net.transports.filter(({ isDestroyed }) => !isDestroyed);
  assert.equal(memory.value.parts.receive.usedBytes, open.length * 64 * 1024);
  broker.takeWaiting();
  hasEnded('consumer', told);
  end.close();
});

test('a consumer that throws when it learns that the thread was late ends with a reason', async (t) => {
  const { end, told } = await openConsumerLink(net.control, ports);
  net.advance(1000);
  t.mock.method(ConsumerRole.prototype, 'wasLate', thrown);
  net.now += 60_000;
  net.advance(0);
  broker.takeWaiting();
  hasEnded('consumer', told);
  end.close();
});

describe('answers', () => {
  async function throwsAtItsAnswer(t: TestContext, what: 'onResponse' | 'onBodyFree'): Promise<void> {
    const { end, told } = await producing();
    t.mock.method(ProduceRequest.prototype, what, thrown);
    const produce = waitingOf(broker, Produce);
    broker.reply({ responses: [{ name: 't', partitionResponses: [{ index: 0, baseOffset: 0n }] }] }, produce);
    net.run();
    assert.equal(produce.transport.isDestroyed, false);
    hasEnded('producer', told);
    end.close();
  }

  test('a producer that throws when an answer comes ends, and the connection stays', async (t) => {
    await throwsAtItsAnswer(t, 'onResponse');
  });

  test('a producer that throws when there will be no answer ends with a reason', async (t) => {
    const { end, told } = await producing();
    t.mock.method(ProduceRequest.prototype, 'onFailure', thrown);
    waitingOf(broker, Produce).transport.end();
    net.run();
    hasEnded('producer', told);
    end.close();
  });

  test('a producer that throws when its batch may be written again ends, and the connection stays', async (t) => {
    await throwsAtItsAnswer(t, 'onBodyFree');
  });

  test('whoever throws is told of no other answer, and the memory of all is given back', async () => {
    const requests = (net.thread.roleHost.requests as NodeRequests).inScope(sharedScope);
    const faults: unknown[] = [];
    requests.onFault = (error) => faults.push(error);
    const to = { brokerId: 1, lane: mainLane };
    const onFailure = assert.ifError;
    const fetch: BrokerRequest = {
      to,
      api: Fetch as BrokerRequest['api'],
      maxVersion: 12,
      request: { maxWaitMs: 0, minBytes: 0, topics: [] },
      timeoutMs: 1000,
      records: 'lent',
      onResponse: thrown,
      onFailure,
    };
    requests.send(fetch, net.now);
    requests.send(fetch, net.now);
    net.run();
    const [, second] = broker.waiting;
    const records = Buffer.alloc(200_000);
    broker.reply({ responses: [{ topic: 't', partitions: [{ partitionIndex: 0, records }] }] });
    broker.reply({ responses: [{ topic: 't', partitions: [{ partitionIndex: 0, records }] }] }, second!);
    net.run();
    assert.equal(faults.length, 1);
    const memory = await net.control.memory();
    assert.ok('value' in memory, JSON.stringify(memory));
    const open = net.transports.filter(({ isDestroyed }) => !isDestroyed);
    assert.equal(memory.value.parts.receive.usedBytes, open.length * 64 * 1024);
    othersWork();
  });
});

test('a producer that throws when its batch comes back from the codec pool ends with a reason', async (t) => {
  await net.close();
  const threads = new FakeCodecThreads();
  start(threads);
  const { end, told } = await openProducerLink(net.control, ports, { compressionType: 'gzip' });
  assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  for (let i = 0; i < 10; i++) assert.ok(postRecord(end.requests));
  net.thread.loop.wake();
  net.advance(1000);
  await threads.settled();
  assert.equal(threads.running.length, 1);
  const close = t.mock.method(ProducerBatch.prototype, 'close', thrown);
  await threads.finish();
  net.run();
  assert.equal(close.mock.callCount(), 1);
  hasEnded('producer', told);
  end.close();
});

describe('calls about threads and memory', () => {
  test('a consumer that throws when its thread goes ends alone', async (t) => {
    const app = net.attach();
    const other = await openConsumerLink(net.control, ports);
    const { end } = await openConsumerLink(net.controlOf(app), ports);
    net.advance(1000);
    const remove = t.mock.method(Dealer.prototype, 'remove', thrown, { times: 1 });
    net.detach(app);
    net.run();
    assert.equal(remove.mock.callCount(), 1);
    broker.takeWaiting();
    othersWork();
    assert.equal(other.told(), undefined);
    for (const { close } of [end, other.end]) close();
  });

  test('a consumer that throws when it is asked for memory that nobody needs ends with a reason', async (t) => {
    const { end, told } = await openConsumerLink(net.control, ports);
    net.advance(1000);
    t.mock.getter(FetchedMemory.prototype, 'isKeeping', thrown);
    net.thread.loop.wake();
    net.run();
    broker.takeWaiting();
    hasEnded('consumer', told);
    end.close();
  });

  test('a consumer that throws when it is asked what it holds ends with a reason, and the report has all others', async (t) => {
    const { end, told } = await openConsumerLink(net.control, ports);
    const producer = await openProducerLink(net.control, ports);
    net.advance(1000);
    t.mock.getter(ConsumerLinks.prototype, 'memory', thrown);
    const memory = await net.control.memory();
    assert.ok('value' in memory, JSON.stringify(memory));
    assert.equal(memory.value.parts.consumers.maxBytes, 0);
    assert.ok(memory.value.parts.producers.maxBytes > 0);
    net.run();
    broker.takeWaiting();
    hasEnded('consumer', told);
    assert.equal(producer.told(), undefined);
    for (const { close } of [end, producer.end]) close();
  });

  test('a consumer that cannot give back the memory of its fetches is removed all the same', async (t) => {
    const { end, told } = await openConsumerLink(net.control, ports);
    net.advance(1000);
    t.mock.method(ConsumerRole.prototype, 'nextDeadline', thrown);
    t.mock.method(Fetcher.prototype, 'close', thrown);
    net.thread.loop.wake();
    net.run();
    broker.takeWaiting();
    hasEnded('consumer', told);
    const memory = await net.control.memory();
    assert.ok('value' in memory, JSON.stringify(memory));
    assert.equal(memory.value.parts.consumers.maxBytes, 0);
    end.close();
  });
});

test('an administration call whose wait throws fails alone', async () => {
  const role = new AdminRole(net.thread.roleHost, net.now);
  const outcomes: unknown[] = [];
  const note = (outcome: unknown): unknown => outcomes.push(outcome);
  let isOver = false;
  const waits = [
    role.until(thrown, infinity),
    role.until(() => isOver, infinity),
    role.until(
      () => isOver,
      infinity,
      () => thrown(),
    ),
  ];
  for (const wait of waits) wait.then(note, note);
  role.poll(net.now);
  assert.equal(role.nextDeadline(net.now), infinity);
  isOver = true;
  role.poll(net.now);
  await Promise.allSettled(waits);
  assert.deepEqual(outcomes.map(String).sort(), [`RangeError: ${noMemory}`, `RangeError: ${noMemory}`, 'true']);
});
