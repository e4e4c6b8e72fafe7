// The network thread's end of a consumer's link to a thread that does not read: what waits is bounded, and the end is told in any case.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { ConsumerEvent } from '../../../../src/common/consumer-calls.ts';
import { toPlainError } from '../../../../src/common/errors/plain-error.ts';
import { createAttachmentHandles, openApplicationEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { takeConsumerEvent } from '../../../../src/ring/frames/consumer-frames.ts';
import { createBatchTable } from '../../../../src/state/batch-table.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { ConsumerProxy } from '../../../../src/worker/link/consumer-proxy.ts';

interface LinkSizes {
  readonly responseRingBytes: number;
  readonly spillBudgetBytes: number;
  readonly places: number;
  readonly prefetchBytes: number;
}

function newLink({ responseRingBytes, spillBudgetBytes, places, prefetchBytes }: LinkSizes) {
  const limits = { requestRingBytes: 8192, responseRingBytes, spillBytes: 1024, spillBudgetBytes };
  const { application, network } = createAttachmentHandles(limits, createDoorbell(), createCounters());
  const end = openApplicationEnd(application);
  const proxy = new ConsumerProxy(1, openNetworkEnd(network), createBatchTable(places), prefetchBytes);
  after(() => {
    end.close();
    proxy.close();
  });
  return { end, proxy };
}

test('events that nobody reads are dropped from some number on, which is said once; the end of the consumer is not', () => {
  const { end, proxy } = newLink({
    responseRingBytes: 8192,
    spillBudgetBytes: 65536,
    places: 4,
    prefetchBytes: 64 * 1024 * 1024,
  });
  const stalled: ConsumerEvent = { type: 'stalled', topic: 't'.repeat(100), partition: 0, cause: 'none' };
  let said = 0;
  for (let i = 0; i < 5000; i++) if (!proxy.tell(stalled)) said++;
  assert.equal(said, 1);
  assert.ok(proxy.tell({ type: 'error', error: toPlainError(new Error('over')), isFatal: true }));
  assert.ok(proxy.tell({ type: 'closed' }));
  const types: string[] = [];
  for (let isFlushed = false; !isFlushed; ) {
    isFlushed = proxy.flush();
    while (end.responses.next()) types.push(takeConsumerEvent(end.responses).type);
  }
  assert.deepEqual(types.slice(-2), ['error', 'closed']);
  assert.ok(types.length > 1000 && types.length < 2000, `${types.length} events`);
});

test('at most half of prefetchBytes waits in the link, decoded, for a thread that takes nothing; a larger batch goes alone', () => {
  const { proxy } = newLink({
    responseRingBytes: 65_536,
    spillBudgetBytes: 1 << 20,
    places: 256,
    prefetchBytes: 100_000,
  });
  const label = { topic: 't', partition: 0, highWatermark: 9n, lastStableOffset: 9n };
  const batchOf = (usedBytes: number) => ({
    buffer: new ArrayBuffer(usedBytes),
    usedBytes,
    count: 1,
    firstOffset: 0n,
    nextOffset: 1n,
    leaderEpoch: 1,
    fetchedBytes: usedBytes,
  });
  assert.ok(proxy.hasRoom(90_000), 'the only batch may be larger');
  let handed = 0;
  while (proxy.hasRoom(10_000)) {
    assert.notEqual(proxy.hand(batchOf(10_000), label), null);
    handed++;
  }
  assert.equal(handed, 5);
});

test('of small batches so many wait in the link that a busy thread finds work for its next moment', () => {
  const { proxy } = newLink({
    responseRingBytes: 1 << 20,
    spillBudgetBytes: 1 << 20,
    places: 256,
    prefetchBytes: 64 * 1024 * 1024,
  });
  const small = { usedBytes: 128, count: 1, firstOffset: 0n, nextOffset: 1n, leaderEpoch: 1, fetchedBytes: 128 };
  let handed = 0;
  while (proxy.hasRoom(128)) {
    const label = { topic: 't', partition: handed, highWatermark: 9n, lastStableOffset: 9n };
    assert.notEqual(proxy.hand({ ...small, buffer: new ArrayBuffer(128) }, label), null);
    handed++;
  }
  assert.equal(handed, 64);
});
