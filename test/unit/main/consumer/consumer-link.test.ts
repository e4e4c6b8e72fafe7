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
  consumerRaiseFrame,
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
  post(returns: number, offset: bigint, nextOffset?: bigint): number;
  /** Raises an error of the same partition. @returns its place */
  raise(returns: number): number;
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
  const post = (returns: number, offset: bigint, nextOffset = offset + 1n): number => {
    const { place, serial } = table.post()!;
    const fields = { place, serial, topicHandle: 0, partition: 0, count: 1, leaderEpoch: 0, returns };
    const offsets = { firstOffset: offset, nextOffset, highWatermark: 9n, lastStableOffset: 9n };
    assert.ok(writeConsumerBatch(end.responses, new ArrayBuffer(bodyBytes), bodyBytes, { ...fields, ...offsets }));
    link.drain();
    return place;
  };
  const raise = (returns: number): number => {
    const error = { name: 'FetchFailedError', message: 'stopped here', code: 'KAFKA_FETCH_FAILED' };
    const ticket = table.post()!;
    const raised = { error, place: { topic: 't', partition: 0 }, ticket, returns };
    assert.ok(writeFrame(end.responses, consumerRaiseFrame(raised)));
    link.drain();
    return ticket.place;
  };
  return { link, table, network: end, post, raise };
}

function taken(link: ConsumerLink): ConsumerBatch | undefined {
  const ready = link.take();
  assert.ok(ready === undefined || ready instanceof ConsumerBatch);
  return ready;
}

test('a batch that is given back comes again, and the batches behind it are skipped', () => {
  const { link, table, post } = open();
  const first = post(0, 1n);
  const second = post(0, 2n);
  taken(link)!.giveBack();
  assert.equal(taken(link), undefined, 'what is behind it comes again after it');
  for (const place of [first, second]) table.free(place);
  post(1, 1n);
  assert.equal(String(taken(link)!.firstOffset), '1');
});

test('what was sent before the network thread saw that a batch was given back is skipped, also if it comes later', () => {
  const { link, post, raise } = open();
  post(0, 1n);
  post(0, 2n);
  const [first, second] = [taken(link)!, taken(link)!];
  second.giveBack();
  post(1, 2n);
  first.giveBack();
  assert.equal(taken(link), undefined, 'it is behind the first one');
  post(1, 3n);
  raise(1);
  assert.equal(link.take(), undefined, 'the error, too');
  post(2, 1n);
  raise(2);
  assert.equal(String(taken(link)!.firstOffset), '1');
  assert.match(String(link.take()), /stopped here/);
});

test('a batch that was lost before it is given back changes nothing for those that come', () => {
  const { link, table, post } = open();
  const place = post(0, 1n);
  const batch = taken(link)!;
  table.giveUp(place);
  table.free(place);
  batch.giveBack();
  post(0, 1n);
  assert.ok(taken(link) !== undefined);
});

test('what was sent before the network thread knew of a seek is skipped: batches, and the error that had stopped the partition', () => {
  const { link, post, raise } = open();
  link.call({ op: 'seek', topic: 't', partition: 0, start: { offset: '1' } });
  post(0, 5n);
  raise(0);
  assert.equal(link.take(), undefined);
  post(1, 1n);
  raise(1);
  assert.equal(String(taken(link)!.firstOffset), '1');
  assert.match(String(link.take()), /stopped here/);
});

test('an error that was taken back is not raised', () => {
  const { link, table, raise } = open();
  table.free(raise(0));
  assert.equal(link.take(), undefined);
  raise(0);
  assert.match(String(link.take()), /stopped here/);
});

test('a thread asks for records as long as one of its polls does', () => {
  const { link, table } = open();
  link.asks();
  link.asks();
  link.stopsAsking();
  assert.ok(table.isWaiting, 'the other one waits');
  link.stopsAsking();
  assert.ok(!table.isWaiting);
});

test('an error about no partition is never skipped', () => {
  const { link, network, post } = open();
  post(0, 1n);
  taken(link)!.giveBack();
  const error = { name: 'NoBrokersAvailable', message: 'refused', code: 'KAFKA_NO_BROKERS' };
  assert.ok(writeFrame(network.responses, consumerRaiseFrame({ error, place: null, ticket: null, returns: 0 })));
  link.drain();
  assert.match(String(link.take()), /refused/);
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
  const place = post(0, 7n, 7n + span);
  const batch = taken(link)!;
  assert.equal(batch.done(7n + span - 1n), 'ok');
  assert.ok(offsetsOf(table.done(place), span) < span, 'a part');
  assert.equal(batch.done(), 'ok');
  assert.equal(offsetsOf(table.done(place), span), span);
});

test('a wait reads what has come before it ends: the timer of a thread that was blocked fires before its doorbell is heard', async () => {
  const { link, network } = open();
  const waited = link.untilNews(20, null);
  const error = { name: 'FetchFailedError', message: 'came meanwhile', code: 'KAFKA_FETCH_FAILED' };
  assert.ok(writeFrame(network.responses, consumerRaiseFrame({ error, place: null, ticket: null, returns: 0 })));
  await waited;
  const taken = link.take();
  assert.ok(taken instanceof Error);
  assert.match(taken.message, /came meanwhile/);
});
