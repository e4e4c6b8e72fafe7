// Records that fill a producer's ring while no broker takes any: each is settled when its time is over, not when there is memory for it,
// and an application that waits for room is told of all room that there is.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { writeFrame } from '../../../../src/ring/frames/frame.ts';
import { topicFrame } from '../../../../src/ring/frames/record-frames.ts';
import { SEQ_WORD } from '../../../../src/ring/layout.ts';
import { openProducerLink, type ProducerEnd, postRecord } from '../support/role-links.ts';
import { net, start } from './support/small-link.ts';

const ports: MessagePort[] = [];

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

function round(): void {
  net.thread.loop.wake();
  net.run();
}

test('every record that fills memory and ring while no broker can be reached fails after deliveryTimeoutMs', async () => {
  start();
  net.cluster.topics = [{ name: 't', partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 0 }] }];
  net.serve('one:9092', 'refuses');
  const deliveryTimeoutMs = 10_000;
  const { end, counters } = await openProducerLink(net.control, ports, {
    bufferMemoryBytes: 256 * 1024,
    batchSizeBytes: 1024,
    requestTimeoutMs: 1000,
    deliveryTimeoutMs,
  });
  assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  let posted = 0;
  for (let isFull = false; !isFull; round()) {
    isFull = true;
    for (; postRecord(end.requests); posted++) isFull = false;
  }
  assert.ok(end.requests.usedBytes > end.requests.ringBytes / 2, 'the ring holds records for which there is no memory');
  net.advance(deliveryTimeoutMs - 1);
  assert.equal(counters.get('failed'), 0);
  net.advance(1);
  assert.equal(counters.get('failed'), posted);
  assert.ok(end.requests.isEmpty());
});

const littleMemory = { bufferMemoryBytes: 256 * 1024, batchSizeBytes: 1024 };

/** How often the application's thread was woken while it slept, since this function was called. */
function wakesOf({ end }: ProducerEnd): () => number {
  const words = new Int32Array(end.ownDoorbell.buffer);
  const before = Atomics.load(words, SEQ_WORD);
  const fallAsleep = (): boolean => end.ownDoorbell.sleepSync(() => false, 0);
  fallAsleep();
  return () => {
    const wakes = Atomics.load(words, SEQ_WORD) - before;
    fallAsleep();
    return wakes;
  };
}

/** Posts single records, each taken before the next, until one finds no memory. @returns how many were taken, at most `limit` */
function fillMemory({ end }: ProducerEnd, limit = Number.POSITIVE_INFINITY): number {
  assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  for (let taken = 0; taken < limit; taken++) {
    assert.ok(postRecord(end.requests));
    round();
    if (!end.requests.isEmpty()) return taken;
  }
  return limit;
}

test('an application that waits is told of room that is less than half of the ring, when there is no memory for more', async () => {
  start();
  net.serve('one:9092', 'refuses');
  const most = fillMemory(await openProducerLink(net.control, ports, littleMemory));
  const producer = await openProducerLink(net.control, ports, littleMemory);
  const { requests } = producer.end;
  const left = 10;
  assert.equal(fillMemory(producer, most - left), most - left);
  while (postRecord(requests));
  requests.setWaiting(true);
  const wakes = wakesOf(producer);
  round();
  assert.ok(
    requests.usedBytes > requests.ringBytes / 2,
    `${requests.usedBytes} of ${requests.ringBytes} bytes are used`,
  );
  assert.ok(requests.hasRoom(4 * 512), 'there is room for some records');
  assert.equal(wakes(), 0, 'more room may come in a moment');
  net.advance(1000);
  assert.equal(wakes(), 1);
  net.advance(1000);
  assert.equal(wakes(), 1, 'told once of the same room');
  let posted = 0;
  while (postRecord(requests)) posted++;
  assert.ok(posted >= left - 1, `${posted} records`);
});

test('an application that waits is told at once when half of the ring is free, and not for each record', async () => {
  start();
  net.serve('one:9092', 'refuses');
  const producer = await openProducerLink(net.control, ports, littleMemory);
  const { requests } = producer.end;
  assert.ok(writeFrame(requests, topicFrame({ topicHandle: 0, name: 't' })));
  while (postRecord(requests));
  requests.setWaiting(true);
  const wakes = wakesOf(producer);
  round();
  assert.ok(requests.isEmpty());
  assert.equal(wakes(), 1);
});
