// Records that fill a producer's ring while no broker takes any: each is settled when its time is over, not when there is memory for it.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { writeFrame } from '../../../../src/ring/frames/frame.ts';
import { topicFrame } from '../../../../src/ring/frames/record-frames.ts';
import { openProducerLink, postRecord } from '../support/role-links.ts';
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
