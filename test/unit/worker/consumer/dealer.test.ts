// What a consumer decodes ahead of an application thread that does not read is bounded, however far the bytes expand.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { unfilledMemory } from '../../../../src/common/memory.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import type { ConsumerReport } from '../../../../src/worker/consumer/consumer-report.ts';
import { Dealer } from '../../../../src/worker/consumer/dealer.ts';
import { FetchedMemory } from '../../../../src/worker/consumer/fetched-memory.ts';
import { FetchedRecords } from '../../../../src/worker/consumer/fetched-records.ts';
import type { Application, HandedBatch, PreparedBatch } from '../../../../src/worker/consumer/handed-batch.ts';
import { Partition } from '../../../../src/worker/consumer/partition.ts';
import { noReport } from './support/no-report.ts';

const MiB = 1024 * 1024;

before(prepareCodecs);

/** A thread with room for `roomBytes`. */
class Thread implements Application {
  readonly id: number;
  readonly handed: PreparedBatch[] = [];
  roomBytes: number;
  isWaiting = true;
  see = (): boolean => false;
  lastAskedAt = (): number | null => 0;
  tell = (): boolean => true;
  raise = (): boolean => true;
  raiseOf = (): null => null;
  takeMemory = unfilledMemory;
  /** Whether it has not taken what it was handed. */
  isSlow = false;

  constructor(id: number, roomBytes: number) {
    this.id = id;
    this.roomBytes = roomBytes;
  }

  hasRoom(byteLength: number): boolean {
    return byteLength <= this.roomBytes;
  }

  hand(batch: PreparedBatch): HandedBatch {
    this.handed.push(batch);
    const { firstOffset, nextOffset, leaderEpoch, count, usedBytes: byteLength } = batch;
    const ends = {
      isPosted: () => this.isSlow,
      withdraw: () => this.isSlow,
      isReturned: () => false,
      giveUp: () => {},
      free: () => {},
    };
    return { firstOffset, nextOffset, leaderEpoch, count, byteLength, doneUpTo: () => firstOffset, ...ends };
  }
}

/** Partitions each of which has one batch of some kilobytes that are `decodedBytes` when they are decoded. */
function partitions(dealer: Dealer, count: number, decodedBytes: number): Partition[] {
  const bytes = buildBatch({ records: [{ value: Buffer.alloc(decodedBytes) }], compression: 'gzip' });
  const all = Array.from({ length: count }, (_, index) => new Partition('t', index));
  for (const partition of all) partition.startAt(0n, 0);
  // Each gets its thread before anything is fetched for it.
  dealer.poll(all, 0);
  for (const partition of all) partition.fetched.push(new FetchedRecords(bytes, null));
  return all;
}

function dealerOf(...threads: Thread[]): Dealer {
  return reportingDealer(noReport, ...threads);
}

function reportingDealer(report: ConsumerReport, ...threads: Thread[]): Dealer {
  const decode = { verifyCrc: true, records: 'rows', maxDecompressedBytes: 64 * MiB } as const;
  const memory = new FetchedMemory();
  const dealer = new Dealer({ batchMaxBytes: MiB, decode, prefixBytes: 64, report, decoder: null, memory });
  for (const thread of threads) dealer.add(thread);
  return dealer;
}

const decodedBytes = (all: readonly Partition[]): number =>
  all.reduce((sum, { prepared }) => sum + (prepared?.usedBytes ?? 0), 0);

test('decoded batches that wait for room are few, and all come when there is room', () => {
  const thread = new Thread(1, MiB);
  const dealer = dealerOf(thread);
  const all = partitions(dealer, 20, 4 * MiB);
  for (let round = 0; round < 30; round++) dealer.poll(all, round);
  assert.ok(decodedBytes(all) >= 4 * MiB, 'nothing was decoded: the test shows nothing');
  assert.ok(decodedBytes(all) <= 24 * MiB, `${decodedBytes(all)} bytes`);
  assert.equal(thread.handed.length, 0);
  thread.roomBytes = 100 * MiB;
  for (let round = 0; round < 3; round++) dealer.poll(all, round);
  assert.equal(thread.handed.length, 20);
  assert.equal(decodedBytes(all), 0);
});

test('a thread that does not read takes no room from another one', () => {
  const blocked = new Thread(1, MiB);
  const reading = new Thread(2, 100 * MiB);
  const dealer = dealerOf(blocked, reading);
  const all = partitions(dealer, 20, 4 * MiB);
  for (let round = 0; round < 30; round++) dealer.poll(all, round);
  assert.equal(blocked.handed.length, 0);
  assert.equal(reading.handed.length, 10);
});

test('records that were withdrawn before a thread took them are counted once, and again after a seek', () => {
  let counted = 0;
  const add = (_topic: string, records: number): void => {
    counted += records;
  };
  const report = { ...noReport, handedOut: add };
  const [slow, other] = [new Thread(1, MiB), new Thread(2, MiB)];
  const dealer = reportingDealer(report, slow!);
  const bytes = buildBatch({ records: [{ value: 'a' }, { value: 'b' }, { value: 'c' }] });
  const partition = new Partition('t', 0);
  const fetch = (): void => {
    partition.fetched.push(new FetchedRecords(bytes, null));
    dealer.poll([partition], 0);
  };
  partition.startAt(0n, 0);
  slow!.isSlow = true;
  fetch();
  assert.deepEqual([slow!.handed.length, counted], [1, 3]);
  slow!.lastAskedAt = () => null;
  dealer.add(other!);
  dealer.poll([partition], 0);
  assert.equal(partition.handed.length, 0);
  fetch();
  assert.deepEqual([other!.handed.length, counted], [1, 3]);
  partition.startAt(0n, 0);
  fetch();
  assert.deepEqual([other!.handed.length, counted], [2, 6]);
});
