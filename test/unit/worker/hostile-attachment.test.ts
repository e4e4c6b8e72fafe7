// An attached thread that writes impossible values into its shared memory: its frames are refused, it is detached, and the others go on.
// Links of the owner's producers and consumers end alone.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { KafkaProtocolError, RingCorruptError } from '../../../src/common/errors/errors.ts';
import { Heartbeat, ListGroups, Produce } from '../../../src/protocol/flat/generated/apis.ts';
import type { ApplicationEnd } from '../../../src/ring/attachment.ts';
import { SEND_PREFIX_BYTES } from '../../../src/ring/frames/client-frames.ts';
import { writeFrame } from '../../../src/ring/frames/frame.ts';
import {
  CONSUMER_CALL,
  POLL,
  RECORD,
  RESPONSE,
  SEND,
  TOPIC,
  TRANSACTION_OFFSETS,
} from '../../../src/ring/frames/kinds.ts';
import { RECORD_PREFIX_BYTES, topicFrame } from '../../../src/ring/frames/record-frames.ts';
import { DATA_OFFSET, HEAD_WORD, RETURNED_WORD, TAIL_WORD } from '../../../src/ring/layout.ts';
import { ProducerProxy } from '../../../src/worker/link/producer-proxy.ts';
import { chooseSeed, Random } from '../ring/support/random.ts';
import type { FakeApplication } from './support/fake-application.ts';
import { FakeNetwork } from './support/fake-network.ts';
import type { FakeBroker } from './support/fake-peer.ts';
import { answerFetch, leadsTopic, openConsumerLink, openProducerLink } from './support/role-links.ts';

const prefixWords = SEND_PREFIX_BYTES / 4;
const wild = [-2147483648, -65536, -8, -1, 1, 7, 64, 1000, 65536, 1 << 28, 2147483647];

let net: FakeNetwork;
let broker: FakeBroker;
const ports: MessagePort[] = [];

function start(): FakeApplication {
  net = new FakeNetwork({ responseRingBytes: 65536, requestRingBytes: 65536, spillBytes: 8192 });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  return net.attach();
}

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

/** The owner's client works, whatever became of the other. */
function ownerWorks(): void {
  assert.deepEqual(net.fatal, []);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
}

/** Nobody keeps the account of its requests any more. */
function isDetached(app: FakeApplication): void {
  net.forget(app);
  net.thread.loop.wake();
  net.run();
  assert.equal(net.broken.length, 1);
  assert.ok(net.broken[0] instanceof RingCorruptError, String(net.broken[0]));
}

/** Where the body of the frame that is committed next will begin. */
function nextBody({ requests }: ApplicationEnd): number {
  assert.ok(requests.begin(0));
  const word = requests.base >>> 2;
  requests.abandon();
  return word;
}

describe('an attached thread that writes nonsense into its request ring', () => {
  const kinds = { 'a kind that only the other side writes': RESPONSE, "a kind of a producer's link": RECORD };
  for (const [what, kind] of Object.entries(kinds)) {
    test(`${what}: it is detached, and the others go on`, () => {
      const app = start();
      assert.ok(app.end.requests.commitEmpty(kind, 1, 1));
      isDetached(app);
      ownerWorks();
    });
  }

  test('a request that is shorter than its prefix detaches it', () => {
    const app = start();
    assert.ok(app.end.requests.commitEmpty(SEND, 1, 1));
    isDetached(app);
    ownerWorks();
  });

  test('nothing is read from it after the first refused frame', () => {
    const app = start();
    assert.ok(app.end.requests.commitEmpty(RESPONSE, 1, 1));
    app.send(1, Heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' });
    isDetached(app);
    assert.equal(broker.waiting.length, 0);
  });

  test('a wrong tail in its request ring detaches it', () => {
    const app = start();
    app.poll(1);
    Atomics.store(app.end.requests.i32, TAIL_WORD, 12345);
    isDetached(app);
    ownerWorks();
  });

  test('a wrong head in its response ring detaches it', () => {
    const app = start();
    app.isReading = false;
    Atomics.store(app.end.responses.i32, HEAD_WORD, 12345);
    // More than fits, so that the network thread looks how much was read.
    for (let i = 0; i < 5000; i++) {
      app.poll(i);
      if (i % 1000 === 0) net.run();
    }
    isDetached(app);
    ownerWorks();
  });

  // Root struct of Produce: transactionalId 0 and 1, acks 2, timeoutMs 3, topicData 4 and 5.
  const places = {
    'an array outside the message': [4, 100_000],
    'an array before the message': [4, -4],
    'a count beyond the message': [5, 1 << 28],
    'text outside the message': [0, 1 << 29],
    'text longer than the message': [1, 2147483647],
  } as const;
  for (const [what, [word, value]] of Object.entries(places)) {
    test(`${what} of a request: it is detached, and the others go on`, () => {
      const app = start();
      const body = nextBody(app.end);
      const topicData = [{ name: 't', partitionData: [{ index: 0, records: Buffer.alloc(10) }] }];
      app.send(1, Produce, { transactionalId: 'tx', acks: 1, timeoutMs: 1, topicData });
      app.end.requests.i32[body + prefixWords + word] = value;
      isDetached(app);
      ownerWorks();
    });
  }

  test('wrong words in a request or its records: it is detached or its request is answered, and the others go on', async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`SEED=${seed}`);
    const random = new Random(seed);
    let detached = 0;
    for (let round = 0; round < 60; round++) {
      const app = start();
      const body = nextBody(app.end);
      const records = [
        { value: 'one', headers: { a: 'b' } },
        { key: 'k', value: 'two' },
      ];
      const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }];
      app.send(1, Produce, { acks: 1, timeoutMs: 1000, topicData });
      const words = (app.end.requests.usedBytes - 16) >>> 2;
      const { i32 } = app.end.requests;
      i32[body + random.below(words)] = wild[random.below(wild.length)]!;
      net.forget(app);
      net.thread.loop.wake();
      try {
        net.run();
      } catch (error) {
        // The broker of the test refuses bytes that make no sense, such as text that is not UTF-8: they were that thread's own.
        if (!(error instanceof KafkaProtocolError)) throw error;
      }
      assert.deepEqual(net.fatal, [], `round ${round}`);
      if (net.broken.length > 0) detached++;
      net.forget(net.app);
      await net.close();
    }
    assert.ok(detached > 0 && detached < 60, `${detached} of 60`);
    start();
  });
});

function postRecord(
  end: ApplicationEnd,
  change: (words: Int32Array, word: number) => void,
  body = [1, 2, 120, 0],
): void {
  const { requests } = end;
  const length = RECORD_PREFIX_BYTES + body.length;
  assert.ok(requests.begin(length));
  const word = requests.base >>> 2;
  // Any partition, no key, linger as configured, nobody waits, now.
  requests.i32.set([-1, -1, -1, 0, 0, -2147483648], word);
  requests.u8.set(body, requests.base + RECORD_PREFIX_BYTES);
  change(requests.i32, word);
  assert.ok(requests.commit(RECORD, 0, 0, length));
}

describe("nonsense in a producer's link", () => {
  const nothing = (): void => {};
  const changes: Readonly<Record<string, (end: ApplicationEnd) => void>> = {
    'a frame of another link': ({ requests }) => assert.ok(requests.commitEmpty(POLL, 1, 1)),
    'a record of a topic that was not named': ({ requests }) => assert.ok(requests.commitEmpty(RECORD, 0, 7)),
    'a topic without a lawful name': ({ requests }) => assert.ok(requests.commitEmpty(TOPIC, 0, 1)),
    'a topic out of turn': ({ requests }) =>
      assert.ok(writeFrame(requests, topicFrame({ topicHandle: 1 << 30, name: 'u' }))),
    'offsets that are no JSON': ({ requests }) => assert.ok(requests.commitEmpty(TRANSACTION_OFFSETS, 1, 0)),
    'a key longer than the record': (end) => postRecord(end, (words, word) => (words[word + 1] = 1 << 20)),
    'a key length below -1': (end) => postRecord(end, (words, word) => (words[word + 1] = -5)),
    'a partition below -1': (end) => postRecord(end, (words, word) => (words[word] = -2)),
    'a pad beyond the frame': (end) => postRecord(end, (words, word) => (words[word + 3] = 1 << 30)),
    'a time beyond numbers': (end) => postRecord(end, (words, word) => (words[word + 5] = 2147483647)),
    'a value beyond the record': (end) => postRecord(end, nothing, [1, 126, 120, 0]),
    'headers beyond the record': (end) => postRecord(end, nothing, [1, 2, 120, 126]),
    'bytes behind the record': (end) => postRecord(end, nothing, [1, 2, 120, 0, 0, 0]),
    'a tail that goes back': ({ requests }) => void Atomics.store(requests.i32, TAIL_WORD, -8),
  };

  for (const [what, change] of Object.entries(changes)) {
    test(`${what}: its producer ends and its thread is detached, and the others go on`, async () => {
      const app = start();
      const { end } = await openProducerLink(net.controlOf(app), ports);
      assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 't' })));
      net.thread.loop.wake();
      net.run();
      assert.deepEqual(net.broken, []);
      change(end);
      net.thread.loop.wake();
      isDetached(app);
      ownerWorks();
    });
  }

  test('found when its thread has gone, before its last frames are read: the others go on', async (t) => {
    const app = start();
    const { end, told } = await openProducerLink(net.controlOf(app), ports);
    net.run();
    // So much waits for the thread that nothing is read.
    t.mock.getter(ProducerProxy.prototype, 'isOverQuota', () => true);
    Atomics.store(end.requests.i32, TAIL_WORD, -8);
    net.detach(app);
    net.thread.loop.wake();
    net.run();
    assert.match(JSON.stringify(told()), /NetworkThreadError.*impossible value/);
    ownerWorks();
  });

  test("of the owner ends only that producer's link, and its thread gets the reason", async () => {
    const app = start();
    const { end, told } = await openProducerLink(net.control, ports);
    assert.ok(end.requests.commitEmpty(POLL, 1, 1));
    net.thread.loop.wake();
    net.run();
    assert.deepEqual([net.broken, net.fatal], [[], []]);
    assert.match(JSON.stringify(told()), /NetworkThreadError.*impossible value/);
    ownerWorks();
    net.forget(app);
  });
});

describe("nonsense in a consumer's link", () => {
  const changes: Readonly<Record<string, (end: ApplicationEnd) => void>> = {
    'a frame of another link': ({ requests }) => assert.ok(requests.commitEmpty(POLL, 1, 1)),
    'a call that is no JSON': ({ requests }) => assert.ok(requests.commitEmpty(CONSUMER_CALL, 1, 0)),
    'a tail that goes back': ({ requests }) => void Atomics.store(requests.i32, TAIL_WORD, -8),
    'a frame without a length': ({ requests }) => {
      assert.ok(requests.commitEmpty(CONSUMER_CALL, 1, 0));
      requests.i32[DATA_OFFSET / 4] = 0;
    },
  };
  for (const [what, change] of Object.entries(changes)) {
    test(`${what}: its consumer ends and its thread is detached, and the others go on`, async () => {
      const app = start();
      const { end } = await openConsumerLink(net.controlOf(app), ports);
      net.run();
      change(end);
      net.thread.loop.wake();
      isDetached(app);
      ownerWorks();
      end.close();
    });
  }

  test('found while records are handed out: its consumer ends and its thread is detached, and the others go on', async () => {
    const app = start();
    leadsTopic(net, broker);
    const { end, told } = await openConsumerLink(net.controlOf(app), ports);
    net.advance(1000);
    Atomics.store(end.responses.i32, RETURNED_WORD, 8);
    // More than the link has room for at a time, so that the network thread looks how much was read.
    answerFetch(broker, 70_000);
    isDetached(app);
    assert.match(JSON.stringify(told()), /NetworkThreadError.*impossible value/);
    broker.takeWaiting();
    ownerWorks();
    end.close();
  });

  test('calls of the wrong shape are refused, and the consumer goes on', async () => {
    const app = start();
    const { end } = await openConsumerLink(net.controlOf(app), ports);
    const bad: readonly unknown[] = [
      null,
      [],
      {},
      { op: 'nothing' },
      { op: 'subscribe', subscription: { names: 5 } },
      { op: 'subscribe', subscription: { pattern: { source: '(', flags: '' } } },
      { op: 'assign', partitions: [{ topic: 't', partition: -1, start: null }] },
      { op: 'assign', partitions: [{ topic: 't', partition: 0, start: { offset: 'x' } }] },
      { op: 'seek', topic: 't', partition: 0, start: 7 },
      { op: 'pause', partitions: [5] },
      { op: 'commit', offsets: [{ topic: 't', partition: 0, offset: 'NaN' }], timeoutMs: 1 },
      { op: 'commit', offsets: null, timeoutMs: null },
      { op: 'committed', partitions: 'all', timeoutMs: 1 },
      { op: 'offsets', questions: [{ topic: 't', partition: 0, timestampMs: 'now' }], timeoutMs: 1 },
      { op: 'close', timeoutMs: -1, leave: 'default' },
    ];
    for (const [i, call] of bad.entries()) {
      const body = Buffer.from(JSON.stringify(call));
      assert.ok(writeFrame(end.requests, { kind: CONSUMER_CALL, requestId: i + 1, detail: 0, body }));
    }
    const refused: number[] = [];
    // How many answers the ring has room for depends on the length of their stack traces. The rest comes when these are read.
    for (let answers = -1; answers < refused.length; ) {
      answers = refused.length;
      net.thread.loop.wake();
      net.run();
      assert.deepEqual(net.broken, []);
      while (end.responses.next()) {
        const { u8, base, byteLength, requestId } = end.responses;
        const text = Buffer.from(u8.buffer, u8.byteOffset + base, byteLength).toString();
        if (text.includes('IllegalArgumentError')) refused.push(requestId);
        end.responses.release();
      }
    }
    assert.deepEqual(
      refused,
      bad.map((_, i) => i + 1),
    );
    ownerWorks();
    net.detach(app);
    end.close();
  });

  test('wrong words in its table of batches do not disturb the others', async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`SEED=${seed}`);
    const random = new Random(seed);
    const app = start();
    const { end, table } = await openConsumerLink(net.controlOf(app), ports);
    const words = new Int32Array(table);
    for (let round = 0; round < 300; round++) {
      words[2 + random.below(words.length - 2)] = random.isOneIn(2) ? random.uint32() | 0 : random.below(8);
      net.thread.loop.wake();
      net.run();
      assert.deepEqual([net.fatal, net.broken], [[], []]);
    }
    ownerWorks();
    net.detach(app);
    end.close();
  });
});
