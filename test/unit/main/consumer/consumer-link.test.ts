// An application thread's end of a consumer's link: which batches it hands out.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ConsumerBatch } from '../../../../src/main/consumer/consumer-batch.ts';
import { ConsumerLink } from '../../../../src/main/consumer/consumer-link.ts';
import { createAttachmentHandles, openApplicationEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import {
  BATCH_PREFIX_BYTES,
  consumerAnswerFrame,
  consumerTopicFrame,
  takeConsumerCall,
  writeConsumerBatch,
} from '../../../../src/ring/frames/consumer-frames.ts';
import { writeFrame } from '../../../../src/ring/frames/frame.ts';
import { BatchTableOwner, createBatchTable, offsetsOf } from '../../../../src/state/batch-table.ts';
import { createCounters } from '../../../../src/state/counters.ts';

const ringBytes = 64 * 1024;
const bodyBytes = BATCH_PREFIX_BYTES + 256;

interface Ends {
  readonly link: ConsumerLink;
  readonly table: BatchTableOwner;
  readonly network: ReturnType<typeof openNetworkEnd>;
  /** Hands a batch of one record out, as the network thread does. @returns its place */
  post(round: number, offset: bigint, nextOffset?: bigint): number;
}

function open(lastCallId?: number): Ends {
  const limits = {
    requestRingBytes: ringBytes,
    responseRingBytes: ringBytes,
    spillBytes: 4096,
    spillBudgetBytes: 1 << 20,
  };
  const { application, network } = createAttachmentHandles(limits, createDoorbell(), createCounters());
  const memory = createBatchTable(16);
  const table = new BatchTableOwner(memory);
  const end = openNetworkEnd(network);
  const parts = {
    end: openApplicationEnd(application),
    table: memory,
    onEvent: () => {},
    callbackThrew: () => {},
    onClosed: () => {},
    groupIdentity: () => assert.fail(),
  };
  const link = new ConsumerLink(parts, lastCallId);
  after(() => {
    link.close(new Error('over'));
    end.close();
  });
  assert.ok(writeFrame(end.responses, consumerTopicFrame({ topicHandle: 0, name: 't' })));
  const post = (round: number, offset: bigint, nextOffset = offset + 1n): number => {
    const { place, serial } = table.post()!;
    const fields = { place, serial, topicHandle: 0, partition: 0, count: 1, leaderEpoch: 0, round };
    const offsets = { firstOffset: offset, nextOffset, highWatermark: 9n, lastStableOffset: 9n };
    assert.ok(writeConsumerBatch(end.responses, new ArrayBuffer(bodyBytes), bodyBytes, { ...fields, ...offsets }));
    link.drain();
    return place;
  };
  return { link, table, network: end, post };
}

function taken(link: ConsumerLink): ConsumerBatch | undefined {
  const ready = link.take();
  assert.ok(ready === undefined || ready instanceof ConsumerBatch);
  return ready;
}

for (const round of [1, 2 ** 31 - 1, -1]) {
  test(`a batch that is given back comes again, and the batches behind it are skipped; round ${round}`, () => {
    const { link, table, post } = open();
    const first = post(round, 1n);
    const second = post(round, 2n);
    taken(link)!.giveBack();
    assert.equal(taken(link), undefined, 'what is behind it comes again after it');
    for (const place of [first, second]) table.free(place);
    post((round + 1) | 0, 1n);
    assert.equal(String(taken(link)!.firstOffset), '1');
  });
}

test('all batches are handed out long after one was given back, although rounds of a partition wrap', () => {
  const { link, table, post } = open();
  const first = post(5, 1n);
  taken(link)!.giveBack();
  table.free(first);
  post(6, 1n);
  assert.ok(taken(link) !== undefined);
  for (const later of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 7, 2 ** 32 + 5]) {
    post(later | 0, 2n);
    assert.ok(taken(link) !== undefined, `round ${later}`);
  }
});

test('calls are told apart across the wrap of their numbers, and a number in use is passed over', () => {
  const { link, network } = open(2 ** 32 - 3);
  const ids: number[] = [];
  const calls = Array.from({ length: 4 }, () => link.call({ op: 'pause', partitions: null }));
  while (network.requests.next()) {
    ids.push(takeConsumerCall(network.requests).callId);
    network.requests.release();
  }
  assert.deepEqual(ids, [2 ** 32 - 2, 2 ** 32 - 1, 0, 1]);
  for (const [i, callId] of ids.entries()) {
    assert.ok(writeFrame(network.responses, consumerAnswerFrame({ callId, answer: null })));
    link.drain();
    assert.deepEqual(
      calls.map(({ succeeded }) => succeeded),
      calls.map((_, at) => at <= i),
    );
  }
});

test('a batch whose offsets span more than 32 bits is done for the network thread, too, when it is done', () => {
  const { link, table, post } = open();
  const span = 2n ** 32n + 5n;
  const place = post(1, 7n, 7n + span);
  const batch = taken(link)!;
  assert.equal(batch.done(7n + span - 1n), 'ok');
  assert.ok(offsetsOf(table.done(place), span) < span, 'a part');
  assert.equal(batch.done(), 'ok');
  assert.equal(offsetsOf(table.done(place), span), span);
});
