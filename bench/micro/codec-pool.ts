// Measures from which size on the codec pool saves time: the network thread's time to decode a compressed response itself, against its
// time to give the response to a pool thread and take the result; and the time until the result comes. The default of
// `codecPoolThresholdBytes` cites this benchmark.

import { prepareCodecs } from '../../src/codec/index.ts';
import { parseConfig } from '../../src/common/config/config-parser.ts';
import { HeapMemory } from '../../src/common/memory.ts';
import { FlatMessage } from '../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../src/protocol/flat/flat-writer.ts';
import { Fetch } from '../../src/protocol/flat/generated/apis.ts';
import type { RecordBatchInput } from '../../src/protocol/flat/records/record-writer.ts';
import { wireCodec } from '../../src/protocol/wire/codecs.ts';
import { WireWriter } from '../../src/protocol/wire/wire-writer.ts';
import { buildBatch } from '../../src/testing/batch-builder.ts';
import { CodecPool } from '../../src/worker/requests/codec-pool.ts';
import { type DecodedBody, type DecodeTask, perform } from '../../src/worker/requests/codec-work.ts';
import { decodeOptions } from '../../src/worker/requests/decode-options.ts';
import { threadTimeMs } from '../main-job/thread-time.ts';
import { type BenchRow, median } from '../support/rows.ts';

const version = 12;
const rounds = 60;
const warmUpRounds = 20;
const options = decodeOptions(parseConfig({}));

/** A response with one batch of about so many compressed bytes. */
function bodyOf(compressedBytes: number, compression: 'lz4' | 'zstd'): { body: Buffer; recordBytes: number } {
  let count = 100;
  for (;;) {
    const records = Array.from({ length: count }, (_, id) => ({
      value: JSON.stringify({
        id,
        user: `user-${(id * 7919) % 1000}`,
        time: 1_700_000_000_000 + id * 13,
        value: Math.sin(id),
      }),
      timestamp: 1_700_000_000_000 + id,
    }));
    const input: RecordBatchInput = { records, compression };
    const batch = buildBatch(input);
    if (batch.length >= compressedBytes * 0.95) {
      return { body: fetchBody(batch), recordBytes: records.reduce((sum, { value }) => sum + value.length, 0) };
    }
    count = Math.ceil((count * compressedBytes) / batch.length);
  }
}

function fetchBody(records: Buffer): Buffer {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  const partitions = [{ partitionIndex: 0, errorCode: 0, highWatermark: 1, records }];
  Fetch.writeResponse(writer, { responses: [{ topic: 'topic', partitions }] });
  const byteLength = writer.finish();
  const { i32, u8, base } = memory;
  const wire = new WireWriter();
  wireCodec(Fetch.key).encodeResponse(new FlatMessage({ i32, u8, base, byteLength }), wire, version);
  return Buffer.from(wire.finish());
}

function taskFor(body: Buffer): DecodeTask {
  const frame = Buffer.allocUnsafeSlow(body.length);
  body.copy(frame);
  return { kind: 'decode', frame, start: 0, end: frame.length, apiKey: Fetch.key, version, prefixBytes: 32, options };
}

interface Costs {
  readonly hereUs: number;
  readonly handOverUs: number;
  readonly latencyUs: number;
}

/** One way is measured after the other, not in turns: otherwise one way could pay for collecting the other's garbage. */
async function measure(body: Buffer, pool: CodecPool, awaken: { next: () => void }): Promise<Costs> {
  const here = await costOf(body, (task) => perform(task));
  const pooled = await costOf(body, async (task) => {
    const woken = new Promise<void>((resolve) => {
      awaken.next = resolve;
    });
    const result = new Promise<DecodedBody>((resolve, reject) => {
      pool.decode(task, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
    await woken;
    pool.poll(0);
    await result;
  });
  return { hereUs: here.threadUs, handOverUs: pooled.threadUs, latencyUs: pooled.latencyUs };
}

/** CPU time of this thread and median wall time, for each task. */
async function costOf(
  body: Buffer,
  work: (task: DecodeTask) => unknown,
): Promise<{ threadUs: number; latencyUs: number }> {
  const latency: number[] = [];
  let before = 0;
  for (let round = -warmUpRounds; round < rounds; round++) {
    if (round === 0) before = threadTimeMs();
    const task = taskFor(body);
    const startedAt = performance.now();
    await work(task);
    if (round >= 0) latency.push((performance.now() - startedAt) * 1000);
  }
  return { threadUs: ((threadTimeMs() - before) * 1000) / rounds, latencyUs: median(latency) };
}

export async function run(): Promise<BenchRow[]> {
  await prepareCodecs();
  const awaken = { next: (): void => {} };
  const pool = new CodecPool(1, () => awaken.next());
  const rows: BenchRow[] = [];
  for (const compression of ['lz4', 'zstd'] as const) {
    for (const kib of [4, 16, 64, 128, 512]) {
      const { body, recordBytes } = bodyOf(kib * 1024, compression);
      const { hereUs, handOverUs, latencyUs } = await measure(body, pool, awaken);
      const parameters = { compression, frameBytes: body.length, recordBytes, rounds };
      const row = (name: string, ours: number): BenchRow => ({
        name: `${compression}, frame of ${kib} KiB: ${name}`,
        unit: 'us',
        ours: Math.round(ours),
        comparison: 'decoding it in the network thread',
        theirs: Math.round(hereUs),
        ratio: Number((ours / hereUs).toFixed(3)),
        parameters,
      });
      rows.push(row('network thread with the pool', handOverUs), row('result from the pool', latencyUs));
    }
  }
  await pool.close(new Error('the benchmark is over'), 0);
  return rows;
}
