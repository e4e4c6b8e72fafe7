// Outcomes of records and ends of calls, across the wrap of their numbers. Test thread, both ends in one.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TrackKind } from '../../../../src/common/record-tracking.ts';
import { Future } from '../../../../src/main/link/future.ts';
import { Deliveries } from '../../../../src/main/producer/deliveries.ts';
import type { RecordMetadata } from '../../../../src/main/producer/producer-types.ts';
import { createAttachmentHandles, openApplicationEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { type Frame, writeFrame } from '../../../../src/ring/frames/frame.ts';
import { flushedFrame } from '../../../../src/ring/frames/producer-call-frames.ts';
import { DeliveredRunsBuilder, deliveredFrame } from '../../../../src/ring/frames/record-frames.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { createProducerCounters, ProducerCountersReader } from '../../../../src/state/producer-counters.ts';
import { RecordRuns } from '../../../../src/worker/producer/record-owner.ts';

function open(lastId: number): { deliveries: Deliveries; deliver(frame: Frame): void } {
  const limits = {
    requestRingBytes: 64 * 1024,
    responseRingBytes: 64 * 1024,
    spillBytes: 4096,
    spillBudgetBytes: 1 << 20,
  };
  const { application, network } = createAttachmentHandles(limits, createDoorbell(), createCounters());
  const [mine, other] = [openApplicationEnd(application), openNetworkEnd(network)];
  after(() => {
    mine.close();
    other.close();
  });
  const listener = { topicName: () => 't', onFailure: () => assert.fail(), onFatal: () => assert.fail() };
  const deliveries = new Deliveries(new ProducerCountersReader(createProducerCounters()), listener, lastId);
  const deliver = (frame: Frame): void => {
    assert.ok(writeFrame(other.responses, frame));
    assert.ok(mine.responses.next());
    deliveries.onFrame(mine.responses);
  };
  return { deliveries, deliver };
}

function pending(deliveries: Deliveries): { trackId: number; future: Future<RecordMetadata> } {
  const trackId = deliveries.nextTrackId();
  const future = new Future<RecordMetadata>();
  deliveries.addRecord(trackId, { future, timestampMs: 1 });
  return { trackId, future };
}

test('each record of a batch has its own offset, although the numbers of records wrap within the batch', () => {
  const { deliveries, deliver } = open(2 ** 32 - 3);
  const records = Array.from({ length: 5 }, () => pending(deliveries));
  assert.deepEqual(
    records.map(({ trackId }) => trackId),
    [2 ** 32 - 2, 2 ** 32 - 1, 1, 2, 3],
  );
  // As the network thread gathers them.
  const runs = new RecordRuns();
  const owner = { onBatchSettled: () => {} };
  for (const { trackId } of records) runs.add(owner, TrackKind.SINGLE, trackId);
  const told = new DeliveredRunsBuilder();
  let first = 0;
  for (const [i, count] of runs.counts.entries()) {
    told.add(runs.trackIds[i]!, TrackKind.SINGLE, count, first);
    first += count;
  }
  const place = { topicHandle: 0, partition: 0, offsetLow: 100, offsetHigh: 0, logAppendTimeMs: -1, error: null };
  deliver(deliveredFrame({ ...place, runs: told.build() }));
  assert.deepEqual(
    records.map(({ future }) => String(future.value?.offset)),
    ['100', '101', '102', '103', '104'],
  );
  assert.equal(deliveries.isBusy, false);
});

test('a number of a record that still waits is passed over, and so is that of a group', () => {
  const { deliveries } = open(0);
  const [first] = [pending(deliveries), deliveries.addGroup(deliveries.nextTrackId(), new Future())];
  assert.equal(first.trackId, 1);
  const wrapped = open(2 ** 32 - 1).deliveries;
  wrapped.addRecord(1, { future: new Future(), timestampMs: 1 });
  wrapped.addGroup(2, new Future());
  assert.equal(wrapped.nextTrackId(), 3);
});

test('calls end one by one, although their numbers wrap, and a number in use is passed over', () => {
  const { deliveries, deliver } = open(2 ** 32 - 3);
  const ended: number[] = [];
  const ids = Array.from({ length: 4 }, (_, i) => deliveries.addCall(() => ended.push(i)));
  assert.deepEqual(ids, [2 ** 32 - 2, 2 ** 32 - 1, 1, 2]);
  for (const callId of ids.toReversed()) deliver(flushedFrame(callId));
  assert.deepEqual(ended, [3, 2, 1, 0]);
});
