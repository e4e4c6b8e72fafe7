// The end of a producer's link when something is in the way: records for which there is no memory, answers for which there is no room,
// other threads that go on.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { TrackKind } from '../../../../src/common/record-tracking.ts';
import { writeFrame } from '../../../../src/ring/frames/frame.ts';
import { DELIVERED, PRODUCER_CLOSED } from '../../../../src/ring/frames/kinds.ts';
import { producerCloseFrame } from '../../../../src/ring/frames/producer-call-frames.ts';
import { takeDelivered, topicFrame } from '../../../../src/ring/frames/record-frames.ts';
import { HEAD_WORD } from '../../../../src/ring/layout.ts';
import { openProducerLink, type ProducerEnd, postRecord } from '../support/role-links.ts';
import { net, start } from './support/small-link.ts';

const ports: MessagePort[] = [];
const small = {
  bufferMemoryBytes: 256 * 1024,
  batchSizeBytes: 1024,
  requestTimeoutMs: 1000,
  deliveryTimeoutMs: 60_000,
};

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

function round(): void {
  net.thread.loop.wake();
  net.run();
}

/** Lets messages of ports come. */
async function messages(): Promise<void> {
  for (let i = 0; i < 5; i++) await nextTurn();
  net.run();
}

/** Of a topic whose broker cannot be reached. */
function nobodyAnswers(): void {
  start();
  net.cluster.topics = [{ name: 't', partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 0 }] }];
  net.serve('one:9092', 'refuses');
}

/** Posts records, each with a Future of its own, until there is no room. Returns how many. */
function fill({ end }: ProducerEnd): number {
  assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  let posted = 0;
  for (let isFull = false; !isFull; round()) {
    isFull = true;
    for (; postRecord(end.requests, { kind: TrackKind.SINGLE, trackId: posted + 1 }); posted++) isFull = false;
  }
  assert.ok(end.requests.usedBytes > end.requests.ringBytes / 2, 'the ring holds records for which there is no memory');
  return posted;
}

/** Closes as a session does: the frame is posted as soon as there is room. */
async function close({ end, closeWithin }: ProducerEnd, timeoutMs: number): Promise<() => void> {
  closeWithin(timeoutMs);
  await messages();
  let isPosted = false;
  return () => {
    if (!isPosted) isPosted = writeFrame(end.requests, producerCloseFrame({ callId: 7, timeoutMs }));
  };
}

/** Reads what is there. Returns the errors of records by their number, and whether the last answer has come. */
function readAll({ end: { responses } }: ProducerEnd, post = (): void => {}) {
  const errors = new Map<number, string>();
  let isClosed = false;
  for (let count = 1; count > 0; round()) {
    count = 0;
    post();
    while (responses.next()) {
      count++;
      assert.ok(!isClosed, 'the last answer is the last');
      if (responses.kind === PRODUCER_CLOSED) isClosed = true;
      if (responses.kind !== DELIVERED) {
        responses.release();
        continue;
      }
      const { runs, error } = takeDelivered(responses);
      for (let run = 0; run < runs.length; run++) {
        for (let i = 0; i < runs.count(run); i++) {
          assert.ok(!errors.has(runs.trackId(run) + i), 'settled once');
          errors.set(runs.trackId(run) + i, error?.error.name ?? 'none');
        }
      }
    }
  }
  return { errors, isClosed };
}

test('a close with a time limit ends in time, although the link is full of records for which there is no memory', async () => {
  nobodyAnswers();
  const link = await openProducerLink(net.control, ports, small);
  const posted = fill(link);
  const post = await close(link, 500);
  net.advance(499);
  post();
  round();
  assert.equal(link.counters.get('failed'), 0);
  net.advance(1);
  const { errors, isClosed } = readAll(link, post);
  assert.ok(isClosed);
  assert.equal(errors.size, posted);
  assert.deepEqual([...new Set(errors.values())], ['ProducerClosedError']);
});

test('a thread that closes with a time limit beside another one leaves in time, and the other goes on', async () => {
  nobodyAnswers();
  const link = await openProducerLink(net.control, ports, small);
  const other = await openProducerLink(net.control, ports, small, link.producerId);
  fill(link);
  const post = await close(link, 500);
  net.advance(500);
  const { isClosed } = readAll(link, post);
  assert.ok(isClosed);
  assert.ok(writeFrame(other.end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  assert.ok(postRecord(other.end.requests, { kind: TrackKind.SINGLE, trackId: 1 }));
  round();
  assert.ok(other.end.requests.isEmpty(), 'its record was taken');
});

test('outcomes that had no room when the producer was closed come when the application reads, and then the last answer', async () => {
  start();
  net.cluster.topics = [];
  const link = await openProducerLink(net.control, ports, { ...small, bufferMemoryBytes: 8 << 20, maxBlockMs: 100 });
  assert.ok(writeFrame(link.end.requests, topicFrame({ topicHandle: 0, name: 'unknown' })));
  const count = 1500;
  for (let i = 1; i <= count; i++) assert.ok(postRecord(link.end.requests, { kind: TrackKind.SINGLE, trackId: i }));
  round();
  assert.ok(writeFrame(link.end.requests, producerCloseFrame({ callId: 7, timeoutMs: -1 })));
  net.advance(200);
  assert.equal(link.counters.get('failed'), count);
  const { errors, isClosed } = readAll(link);
  assert.equal(errors.size, count);
  assert.ok(isClosed);
  assert.deepEqual(net.fatal, []);
});

test('a close that is called again with an earlier limit ends by then', async () => {
  nobodyAnswers();
  const link = await openProducerLink(net.control, ports, small);
  assert.ok(writeFrame(link.end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  assert.ok(postRecord(link.end.requests, { kind: TrackKind.SINGLE, trackId: 1 }));
  assert.ok(writeFrame(link.end.requests, producerCloseFrame({ callId: 7, timeoutMs: -1 })));
  round();
  link.closeWithin(500);
  await messages();
  link.closeWithin(5000);
  await messages();
  net.advance(499);
  assert.equal(readAll(link).isClosed, false);
  net.advance(1);
  const { errors, isClosed } = readAll(link);
  assert.ok(isClosed);
  assert.deepEqual([...errors.values()], ['ProducerClosedError']);
});

test('a producer that is closing takes no other thread, and its close ends', async () => {
  nobodyAnswers();
  const link = await openProducerLink(net.control, ports, small);
  assert.ok(writeFrame(link.end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  assert.ok(postRecord(link.end.requests, { kind: TrackKind.SINGLE, trackId: 1 }));
  assert.ok(writeFrame(link.end.requests, producerCloseFrame({ callId: 7, timeoutMs: 500 })));
  round();
  await assert.rejects(openProducerLink(net.control, ports, small, link.producerId), /is closed/);
  net.advance(500);
  assert.ok(readAll(link).isClosed);
});

test('a thread whose memory holds an impossible value leaves a shared producer, and outcomes of the others go on', async () => {
  start();
  net.cluster.topics = [];
  const options = { ...small, bufferMemoryBytes: 8 << 20, maxBlockMs: 100 };
  const link = await openProducerLink(net.control, ports, options);
  const other = await openProducerLink(net.control, ports, options, link.producerId);
  for (const { end } of [link, other])
    assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 'none' })));
  // More outcomes than fit, so that the network thread looks how much was read.
  for (let i = 1; i <= 1500; i++) assert.ok(postRecord(link.end.requests, { kind: TrackKind.SINGLE, trackId: i }));
  assert.ok(postRecord(other.end.requests, { kind: TrackKind.SINGLE, trackId: 1 }));
  round();
  Atomics.store(link.end.responses.i32, HEAD_WORD, 12345);
  net.advance(100);
  round();
  assert.deepEqual(net.fatal, []);
  assert.deepEqual([...readAll(other).errors.values()], ['TopicMetadataTimeoutError']);
  assert.ok(postRecord(other.end.requests, { kind: TrackKind.SINGLE, trackId: 2 }));
  round();
  net.advance(100);
  assert.deepEqual([...readAll(other).errors.keys()], [2], 'the producer goes on');
});
