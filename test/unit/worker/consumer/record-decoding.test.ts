// Where fetched records are decoded: big compressed ones outside of the network thread, in order, and here if nobody does it.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { unfilledMemory } from '../../../../src/common/memory.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { RecordsView } from '../../../../src/protocol/flat/records/record-view.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import { Dealer, type RecordDecoder } from '../../../../src/worker/consumer/dealer.ts';
import { FetchedMemory } from '../../../../src/worker/consumer/fetched-memory.ts';
import { FetchedRecords } from '../../../../src/worker/consumer/fetched-records.ts';
import type { Application, HandedBatch, PreparedBatch } from '../../../../src/worker/consumer/handed-batch.ts';
import { Partition } from '../../../../src/worker/consumer/partition.ts';
import { type DecodedRecords, decodeRecordRows } from '../../../../src/worker/requests/codec-work.ts';
import { noReport } from './support/no-report.ts';

const prefixBytes = 64;
const decode = { verifyCrc: true, records: 'rows', maxDecompressedBytes: 1 << 24 } as const;
const count = 20;

/** A batch of `count` records from `firstOffset` on. */
function batchOf(firstOffset: number, compression: 'none' | 'gzip' = 'gzip'): Buffer {
  const records = Array.from({ length: count }, (_, i) => ({ value: `value ${firstOffset + i}`, timestamp: 1000 }));
  const bytes = buildBatch({ records, compression });
  bytes.writeBigInt64BE(BigInt(firstOffset));
  return bytes;
}

class Decoder implements RecordDecoder {
  readonly waiting: { readonly bytes: Uint8Array; readonly done: (decoded: DecodedRecords | Error) => void }[] = [];
  hasRoom = true;
  takes = (byteCount: number): boolean => this.hasRoom && byteCount > 100;
  decode(bytes: Uint8Array, done: (decoded: DecodedRecords | Error) => void): void {
    this.waiting.push({ bytes, done });
  }

  work(): void {
    const { bytes, done } = this.waiting.shift()!;
    done(decodeRecordRows(bytes, 0, bytes.length, prefixBytes, decode));
  }
}

function newDealer(decoder: RecordDecoder | null) {
  const memory = new FetchedMemory();
  const dealer = new Dealer({ batchMaxBytes: 1, decode, decoder, prefixBytes, report: noReport, memory });
  const partition = new Partition('t', 0);
  partition.startAt(0n, -1);
  const handed: PreparedBatch[] = [];
  const raised: Error[] = [];
  const application: Application = {
    id: 1,
    see: () => false,
    lastAskedAt: () => 0,
    isWaiting: true,
    tell: () => true,
    hasRoom: () => true,
    takeMemory: unfilledMemory,
    hand: (batch): HandedBatch => {
      handed.push(batch);
      const { firstOffset, nextOffset, leaderEpoch, usedBytes: byteLength } = batch;
      const [doneUpTo, nothing] = [() => nextOffset, () => {}];
      const state = {
        doneUpTo,
        isPosted: () => false,
        withdraw: () => false,
        isReturned: () => false,
        giveUp: nothing,
        free: nothing,
      };
      return { firstOffset, nextOffset, leaderEpoch, count: batch.count, byteLength, ...state };
    },
    raise: () => assert.fail('not of a partition'),
    raiseOf: (_place, error) => {
      raised.push(error);
      return { see: () => {}, withdraw: () => {} };
    },
  };
  dealer.add(application);
  let now = 0;
  const turn = (): void => void dealer.poll([partition], ++now);
  // The partition gets its thread.
  turn();
  const fetch = (...batches: Buffer[]): void => {
    partition.fetched.push(new FetchedRecords(new Uint8Array(Buffer.concat(batches)), null));
    turn();
  };
  const values = (): string[] =>
    handed.flatMap(({ buffer, usedBytes }) => {
      const memory = { i32: new Int32Array(buffer), u8: new Uint8Array(buffer), base: 0, byteLength: usedBytes };
      return [...new RecordsView(new FlatMessage(memory, prefixBytes), 0)].map(({ value }) => String(value));
    });
  return { partition, handed, raised, turn, fetch, values };
}

const valuesFrom = (first: number, number: number): string[] =>
  Array.from({ length: number }, (_, i) => `value ${first + i}`);

describe('fetched records', () => {
  before(() => prepareCodecs());

  it('that are compressed and big are decoded in the pool in order, and later ones wait', () => {
    const decoder = new Decoder();
    const { handed, fetch, turn, values, partition } = newDealer(decoder);
    fetch(batchOf(0), batchOf(count), batchOf(2 * count, 'none'));
    turn();
    assert.equal(handed.length, 0);
    assert.equal(decoder.waiting.length, 1, 'one piece of a partition at a time');
    assert.ok(partition.hasRecords && partition.bufferedBytes > 0);
    decoder.work();
    turn();
    assert.deepEqual(values(), valuesFrom(0, count));
    decoder.work();
    turn();
    assert.deepEqual(values(), valuesFrom(0, 3 * count), 'what is not compressed is decoded here');
    assert.equal(partition.handPosition.offset, BigInt(3 * count));
    assert.equal(partition.bufferedBytes, 0);
  });

  it('are decoded in this thread without a pool, when it has no room, and when it fails', () => {
    for (const how of ['none', 'full', 'fails']) {
      const decoder = new Decoder();
      decoder.hasRoom = how !== 'full';
      const { fetch, turn, values } = newDealer(how === 'none' ? null : decoder);
      fetch(batchOf(0));
      if (how === 'fails') decoder.waiting[0]!.done(new Error('the thread has ended'));
      turn();
      assert.deepEqual(values(), valuesFrom(0, count), how);
    }
  });

  it('that the pool decoded for an old position are not handed out', () => {
    const decoder = new Decoder();
    const { handed, fetch, turn, values, partition } = newDealer(decoder);
    fetch(batchOf(0));
    partition.startAt(100n, -1);
    decoder.work();
    turn();
    assert.equal(handed.length, 0);
    fetch(batchOf(100));
    decoder.work();
    turn();
    assert.deepEqual(values(), valuesFrom(100, count));
  });

  it('that are corrupt give an error with their offset, also from the pool', () => {
    const decoder = new Decoder();
    const { raised, fetch, turn, values } = newDealer(decoder);
    const corrupt = batchOf(count);
    corrupt[corrupt.length - 3]! ^= 1;
    fetch(batchOf(0), corrupt);
    decoder.work();
    turn();
    decoder.work();
    turn();
    assert.deepEqual(values(), valuesFrom(0, count));
    assert.match(String(raised[0]), new RegExp(`t-0 at offset ${count}`));
  });
});

describe('the memory of decoded records', () => {
  for (const valueBytes of [0, 100, 1024])
    it(`with values of ${valueBytes} B is not much more than is used`, () => {
      const records = Array.from({ length: 500 }, () => ({ value: 'x'.repeat(valueBytes), headers: { a: 'b' } }));
      const bytes = new Uint8Array(Buffer.concat([buildBatch({ records }), buildBatch({ records })]));
      const { buffer, usedBytes } = decodeRecordRows(bytes, 0, bytes.length, prefixBytes, decode);
      assert.ok(buffer.byteLength <= usedBytes * 1.25, `${buffer.byteLength} B for ${usedBytes} B`);
    });

  it('follows no number in a batch that cannot be', () => {
    for (const count of [-5, 2 ** 31 - 1]) {
      const bytes = new Uint8Array(buildBatch({ records: [{ value: 'x' }] }));
      new DataView(bytes.buffer, bytes.byteOffset).setInt32(57, count);
      const { buffer } = decodeRecordRows(bytes, 0, bytes.length, prefixBytes, decode);
      assert.ok(buffer.byteLength < 64 * 1024, `${buffer.byteLength} B`);
    }
  });
});
