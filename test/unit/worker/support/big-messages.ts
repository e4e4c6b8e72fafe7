// Owns requests and responses that are big enough for the codec pool, and what their records are. Test thread.

import assert from 'node:assert/strict';

import type { FetchRequest, FetchResponse, FetchResponseView } from '../../../../src/protocol/flat/generated/fetch.ts';
import type { ProduceRequest } from '../../../../src/protocol/flat/generated/produce.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import type { CompressionType } from '../../../../src/protocol/flat/records/records-slot.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';

export const KiB = 1024;
/** The smallest there is. */
export const thresholdBytes = 64 * KiB;
/** Newest versions that name topics. */
export const byName = { version: 12 } as const;

const valueBytes = 1000;

/** Bytes that no codec shrinks, the same for the same seed. */
export function noise(byteCount: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe((byteCount + 3) & ~3);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  let state = (Math.imul(seed, 0x9e3779b1) | 1) ^ (seed << 1);
  if (state === 0) state = 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return bytes.subarray(0, byteCount);
}

/** Records of noise that take about so many bytes together, compressed or not. */
export function noisyBatch(byteCount: number, seed: number, compression: CompressionType = 'lz4'): RecordBatchInput {
  const count = Math.max(1, Math.floor(byteCount / valueBytes));
  const size = Math.floor(byteCount / count);
  const records = Array.from({ length: count }, (_, i) => ({
    key: `${seed}/${i}`,
    value: noise(size, seed * 1_000_003 + i),
    timestamp: 1_700_000_000_000 + i,
  }));
  return { records, compression };
}

export const fetchRequest: FetchRequest = {
  maxWaitMs: 0,
  minBytes: 1,
  topics: [{ topic: 'topic', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 30 }] }],
};

/** A response of Fetch with these batches, one a partition. */
export function fetchResponse(batches: readonly (RecordBatchInput | Buffer)[], throttleTimeMs = 0): FetchResponse {
  const partitions = batches.map((batch, partitionIndex) => ({
    partitionIndex,
    errorCode: 0,
    highWatermark: 1000,
    records: Buffer.isBuffer(batch) ? batch : buildBatch(batch),
  }));
  return { throttleTimeMs, responses: [{ topic: 'topic', partitions }] };
}

/** Fails unless the response has exactly the records of these batches. */
export function assertRecords(view: FetchResponseView, batches: readonly RecordBatchInput[]): void {
  const { partitions } = view.responses.at(0);
  assert.equal(partitions.length, batches.length);
  for (const [i, batch] of batches.entries()) {
    const { records } = partitions.at(i);
    assert.equal(records.error, null);
    const given = [...(batch.records as Iterable<{ key: string; value: Buffer; timestamp: number }>)];
    assert.equal(records.length, given.length);
    for (const [at, { key, value, timestamp }] of given.entries()) {
      const record = records.at(at);
      assert.equal(record.key!.toString(), key);
      assert.ok(value.equals(record.value!), `value of record ${at}`);
      assert.equal(record.timestamp.toNumber(), timestamp);
    }
  }
}

/** A request of Produce with these batches, one a partition. */
export function produceRequest(batches: readonly RecordBatchInput[], acks = -1): ProduceRequest {
  const partitionData = batches.map((records, index) => ({ index, records }));
  return { acks, timeoutMs: 1000, topicData: [{ name: 'topic', partitionData }] };
}
