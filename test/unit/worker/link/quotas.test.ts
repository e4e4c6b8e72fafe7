// What one thread that does not read may keep in the network thread besides undelivered responses: failures, outcomes, answers. Then its
// frames stay in its own memory, and the others go on.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { consumerCallFrame, takeConsumerAnswer } from '../../../../src/ring/frames/consumer-frames.ts';
import { type Frame, writeFrame } from '../../../../src/ring/frames/frame.ts';
import { CONSUMER_ANSWER, FLUSHED } from '../../../../src/ring/frames/kinds.ts';
import { flushFrame, producerCloseFrame } from '../../../../src/ring/frames/producer-call-frames.ts';
import { topicFrame } from '../../../../src/ring/frames/record-frames.ts';
import type { LinkReader, LinkWriter } from '../../../../src/ring/link.ts';
import { maxHeldBytes, maxHeldFrames } from '../../../../src/worker/link/held-frame.ts';
import { openConsumerLink, openProducerLink, postRecord } from '../support/role-links.ts';
import { broker, named, nameOf, net, start } from './support/small-link.ts';

const ports: MessagePort[] = [];

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

function round(): void {
  net.thread.loop.wake();
  net.run();
}

/** The client of the owner works. */
function ownerWorks(): void {
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply(named('owner'));
  net.run();
  assert.equal(nameOf(sent), 'owner');
}

/** Posts frames until the network thread takes no more, at most `limit`. Returns how many were posted. */
function postUntilFull(requests: LinkWriter, frameOf: (callId: number) => Frame, limit: number): number {
  let posted = 0;
  for (let isFull = false; !isFull && posted < limit; round()) {
    isFull = true;
    while (posted < limit && writeFrame(requests, frameOf(posted + 1))) {
      posted++;
      isFull = false;
    }
  }
  return posted;
}

/** Reads until nothing comes any more. `onFrame` takes the current frame. */
function readAll(responses: LinkReader, onFrame: () => void): void {
  for (let count = 1; count > 0; round()) {
    count = 0;
    while (responses.next()) {
      onFrame();
      count++;
    }
  }
}

test('failed requests wait for a client that does not read, up to a limit, and then its requests are not taken', () => {
  start();
  const deaf = net.attach();
  net.run();
  deaf.isReading = false;
  let full = 0;
  for (let i = 0; full < 3; i++) {
    assert.ok(i < 20 * maxHeldFrames, 'requests are taken without end');
    try {
      deaf.send(99, ListGroups, {});
      full = 0;
    } catch {
      full++;
      net.run();
    }
  }
  const { accepted } = deaf;
  assert.ok(accepted > maxHeldFrames, `${accepted} requests`);
  ownerWorks();
  deaf.isReading = true;
  net.run();
  assert.equal(deaf.count('failed'), accepted, 'all of them come in the end');
});

test("outcomes wait for a producer's thread that does not read, up to a limit, and then its frames are not taken", async () => {
  start();
  const { end } = await openProducerLink(net.control, ports, { bufferMemoryBytes: 1024 * 1024 });
  const limit = (20 * maxHeldBytes) / 64;
  const posted = postUntilFull(end.requests, flushFrame, limit);
  assert.ok(posted < limit, 'frames are taken without end');
  ownerWorks();
  const answered: number[] = [];
  readAll(end.responses, () => {
    assert.equal(end.responses.kind, FLUSHED);
    answered.push(end.responses.requestId);
    end.responses.release();
  });
  assert.deepEqual(
    answered,
    [...answered.keys()].map((i) => i + 1),
    'in order',
  );
  assert.equal(answered.length, posted);
});

test("answers wait for a consumer's thread that does not read, up to a limit, and then its calls are not taken", async () => {
  start();
  const { end } = await openConsumerLink(net.control, ports);
  const limit = (20 * maxHeldBytes) / 64;
  const posted = postUntilFull(end.requests, (callId) => consumerCallFrame({ callId, call: { op: 'hello' } }), limit);
  assert.ok(posted < limit, 'calls are taken without end');
  ownerWorks();
  let answered = 0;
  readAll(end.responses, () => {
    if (end.responses.kind !== CONSUMER_ANSWER) return end.responses.release();
    assert.equal(takeConsumerAnswer(end.responses).callId, ++answered);
  });
  assert.equal(answered, posted);
  end.close();
});

test('the last records of a thread that has ended are taken, even if much waits for it', async () => {
  start();
  net.cluster.topics = [];
  const client = net.attach();
  net.run();
  const { end, producerId } = await openProducerLink(net.controlOf(client), ports);
  const other = await openProducerLink(net.control, ports, {}, producerId);
  postUntilFull(end.requests, flushFrame, (20 * maxHeldBytes) / 64);
  assert.ok(!end.requests.isEmpty());
  net.detach(client);
  round();
  assert.ok(end.requests.isEmpty(), 'its frames were taken');
  assert.ok(writeFrame(other.end.requests, flushFrame(1)));
  round();
  assert.ok(other.end.responses.next());
});

test('the memory limit of a producer covers all its threads: their links leave less for batches, and return it at their end', async () => {
  start();
  const bufferMemoryBytes = 1024 * 1024;
  const first = await openProducerLink(net.control, ports, { bufferMemoryBytes, batchSizeBytes: 1024 });
  const alone = first.counters.get('maxBytes');
  const clients = [net.attach(), net.attach(), net.attach()];
  const others = [];
  let linkBytes = first.end.requests.ringBytes + bufferMemoryBytes / 8;
  for (const client of clients) {
    const link = await openProducerLink(net.controlOf(client), ports, { bufferMemoryBytes }, first.producerId);
    others.push(link);
    linkBytes += link.end.requests.ringBytes + bufferMemoryBytes / 32;
    const left = first.counters.get('maxBytes');
    assert.equal(link.counters.get('maxBytes'), left, 'seen alike');
    assert.ok(left + linkBytes <= bufferMemoryBytes, `${left} for batches, ${linkBytes} for links`);
  }
  for (const client of clients) net.detach(client);
  round();
  assert.equal(first.counters.get('maxBytes'), alone);
});

test('threads that write more than a producer can hold are served in turn', async () => {
  start();
  const options = { bufferMemoryBytes: 256 * 1024, batchSizeBytes: 1024 };
  const first = await openProducerLink(net.control, ports, options);
  const second = await openProducerLink(net.control, ports, options, first.producerId);
  // Nobody answers for the topic, so the records stay.
  for (const { end } of [first, second]) assert.ok(writeFrame(end.requests, topicFrame({ topicHandle: 0, name: 't' })));
  for (let i = 0; i < 20; i++) {
    while (postRecord(first.end.requests));
    round();
  }
  assert.ok(!first.end.requests.isEmpty(), 'it has filled what it may have');
  const before = second.counters.get('usedBytes');
  assert.ok(postRecord(second.end.requests));
  round();
  assert.ok(second.end.requests.isEmpty(), 'the record of the other was taken');
  assert.ok(second.counters.get('usedBytes') > before);
});

test('a thread that closes while others are served takes no turn from them', async () => {
  start();
  const links = [await openProducerLink(net.control, ports)];
  const { producerId } = links[0]!;
  for (let i = 0; i < 3; i++) links.push(await openProducerLink(net.control, ports, {}, producerId));
  for (let closing = 0; closing < links.length - 1; closing++) {
    const { end } = links[closing]!;
    assert.ok(writeFrame(end.requests, producerCloseFrame({ callId: 1, timeoutMs: -1 })));
    const left = links.slice(closing + 1);
    for (const other of left) assert.ok(writeFrame(other.end.requests, flushFrame(1)));
    round();
    assert.deepEqual(net.fatal, []);
    for (const { end: otherEnd } of left) {
      assert.ok(otherEnd.responses.next());
      otherEnd.responses.release();
    }
  }
});
