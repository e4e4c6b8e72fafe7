// The codec pool with real threads: they give the same bytes as the network thread, and no task is lost when threads end.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { compress, GZIP, LZ4, prepareCodecs, SNAPPY, ZSTD } from '../../../../src/codec/index.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { Cancelled, KafkaClientError, KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { Fetch, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { LEVEL_DEFAULT } from '../../../../src/protocol/flat/records/records-slot.ts';
import { CodecPool } from '../../../../src/worker/requests/codec-pool.ts';
import { startCodecThreads } from '../../../../src/worker/requests/codec-threads.ts';
import type {
  CompressedBytes,
  DecodedBody,
  DecodeTask,
  EncodedFrame,
  EncodeTask,
} from '../../../../src/worker/requests/codec-work.ts';
import { perform } from '../../../../src/worker/requests/codec-work.ts';
import { decodeOptions } from '../../../../src/worker/requests/decode-options.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { assertRecords, fetchResponse, KiB, noisyBatch, produceRequest } from '../support/big-messages.ts';
import { exitVersion, uncaughtVersion } from '../support/codec-entries/ends-thread.ts';
import { fetchBody, flatOf } from '../support/codec-messages.ts';

const MiB = 1024 * KiB;
const version = 12;
const options = decodeOptions(parseConfig({}));
const header = { apiKey: Produce.key, version, correlationId: 5, clientId: 'client' };
const cancelled = new Cancelled('the client was closed');

/** A task for a frame; with `claimedBytes` it only says so. */
function decodeTask(body: Buffer = smallBody, { claimedBytes = 0, asVersion = version } = {}): DecodeTask {
  const frame = Buffer.from(body.buffer.slice(body.byteOffset, body.byteOffset + body.length));
  const end = claimedBytes > 0 ? claimedBytes : frame.length;
  return { kind: 'decode', frame, start: 0, end, apiKey: Fetch.key, version: asVersion, prefixBytes: 32, options };
}

const smallBatch = noisyBatch(1000, 1);
const smallBody = fetchBody(version, fetchResponse([smallBatch]));

describe('threads', () => {
  const pools: CodecPool[] = [];

  function open(count: number, entry?: string): CodecPool {
    const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
    const url =
      entry === undefined ? undefined : new URL(`../support/codec-entries/${entry}${suffix}`, import.meta.url);
    const pool = new CodecPool(
      count,
      () => {},
      (threads) => startCodecThreads(threads, url),
      () => {},
      // However slow the machine is, no thread is late.
      () => () => {},
    );
    pools.push(pool);
    return pool;
  }

  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.close(cancelled, 0);
  });

  /** What the tasks come to, in their order. */
  async function outcomesOf(
    pool: CodecPool,
    tasks: readonly (DecodeTask | EncodeTask)[],
  ): Promise<(DecodedBody | EncodedFrame | Error)[]> {
    const outcomes = new Map<DecodeTask | EncodeTask, DecodedBody | EncodedFrame | Error>();
    for (const task of tasks) {
      const done = (outcome: DecodedBody | EncodedFrame | Error) => outcomes.set(task, outcome);
      if (task.kind === 'decode') pool.decode(task, done);
      else pool.encode(task, done);
    }
    await waitFor('every task to be settled', () => {
      pool.poll(0);
      return outcomes.size === tasks.length;
    });
    return tasks.map((task) => outcomes.get(task)!);
  }

  function viewOf(outcome: DecodedBody | EncodedFrame | Error) {
    if (outcome instanceof Error) throw outcome;
    const { buffer, usedBytes } = outcome;
    const bytes = { i32: new Int32Array(buffer), u8: new Uint8Array(buffer), base: 0, byteLength: usedBytes };
    return Fetch.readResponse(new FlatMessage(bytes, 32));
  }

  test('give the same bytes as this thread, for every codec', async () => {
    const pool = open(2);
    const batches = (['gzip', 'snappy', 'lz4', 'zstd'] as const).map((codec, i) => noisyBatch(100 * KiB, i + 1, codec));
    const bodies = batches.map((batch) => fetchBody(version, fetchResponse([batch])));
    const encodeTask = (): EncodeTask => ({ kind: 'encode', flat: flatOf(Produce, produceRequest(batches)), header });
    // The time of the records is given, so requests made twice are the same.
    const expected = perform(encodeTask()) as EncodedFrame;
    const outcomes = await outcomesOf(pool, [...bodies.map((body) => decodeTask(body)), encodeTask()]);
    for (const [i, batch] of batches.entries()) assertRecords(viewOf(outcomes[i]!), [batch]);
    const frame = outcomes[4] as EncodedFrame;
    assert.deepEqual(Buffer.from(frame.buffer, 0, frame.usedBytes), Buffer.from(expected.buffer));
  });

  test('compress the same bytes as this thread, whatever the codec', async () => {
    await prepareCodecs();
    const pool = open(2);
    const text = Buffer.from('the same words again '.repeat(5000));
    for (const codec of [GZIP, SNAPPY, LZ4, ZSTD]) {
      const outcomes: (CompressedBytes | Error)[] = [];
      const task = { kind: 'compress', codec, level: LEVEL_DEFAULT, bytes: new Uint8Array(text) } as const;
      pool.compress(task, (result) => void outcomes.push(result));
      await waitFor('the task to be settled', () => pool.poll(0) > 0);
      const packed = new Uint8Array((outcomes[0] as CompressedBytes).buffer);
      const expected = compress(codec, LEVEL_DEFAULT, text, 0, text.length);
      assert.deepEqual(Buffer.from(packed), Buffer.from(expected));
    }
  });

  test('give back the memory of frames, but not that of frames that cannot be read', async () => {
    const pool = open(1);
    const came: ArrayBuffer[] = [];
    pool.onFrameMemory = (memory) => came.push(memory);
    const body = fetchBody(version, fetchResponse([noisyBatch(100 * KiB, 1, 'none')]));
    const [decoded] = await outcomesOf(pool, [decodeTask(body), decodeTask(smallBody.subarray(0, 40))]);
    assertRecords(viewOf(decoded!), [noisyBatch(100 * KiB, 1, 'none')]);
    assert.deepEqual(
      came.map((memory) => Buffer.from(memory).equals(body)),
      [true],
    );
  });

  test('decode into the memory that a task brings, and into new memory if that is too small', async () => {
    const pool = open(1);
    const body = fetchBody(version, fetchResponse([noisyBatch(100 * KiB, 1, 'none')]));
    const sizes = [120 * KiB, 8 * KiB];
    const intos = sizes.map((size) => new ArrayBuffer(size));
    const outcomes = await outcomesOf(
      pool,
      intos.map((into) => ({ ...decodeTask(body), into })),
    );
    for (const outcome of outcomes) assertRecords(viewOf(outcome), [noisyBatch(100 * KiB, 1, 'none')]);
    assert.deepEqual(
      intos.map((into) => into.byteLength),
      [0, 0],
      'both were moved',
    );
    const [first, second] = outcomes as DecodedBody[];
    assert.equal(first!.buffer.byteLength, sizes[0]);
    assert.ok(second!.buffer.byteLength >= second!.usedBytes && second!.usedBytes > 100 * KiB);
  });

  test('send errors back as data', async () => {
    const [broken, fine] = await outcomesOf(open(1), [decodeTask(smallBody.subarray(0, 40)), decodeTask()]);
    assert.ok(broken instanceof KafkaProtocolError);
    assert.equal(broken.apiKey, Fetch.key);
    assertRecords(viewOf(fine!), [smallBatch]);
  });

  for (const [what, asVersion, cause] of [
    ['exits', exitVersion, /exited with code: 3/],
    ['ends by an error that nobody catches', uncaughtVersion, /uncaught in a pool thread/],
  ] as const) {
    test(`one that ${what} fails its own task, and another takes its place`, async () => {
      const tasks = [decodeTask(), decodeTask(smallBody, { asVersion }), decodeTask(), decodeTask(), decodeTask()];
      const [first, lost, ...others] = await outcomesOf(open(1, 'ends-thread'), tasks);
      assertRecords(viewOf(first!), [smallBatch]);
      assert.ok(lost instanceof KafkaClientError);
      assert.match((lost.cause as Error).message, cause);
      for (const outcome of others) assertRecords(viewOf(outcome), [smallBatch]);
    });
  }

  test('all of them ending at once leave no task behind', async () => {
    const tasks = [0, 1, 2, 3, 4, 5].map((i) => decodeTask(smallBody, { asVersion: i < 4 ? exitVersion : version }));
    const outcomes = await outcomesOf(open(2, 'ends-thread'), tasks);
    for (const outcome of outcomes.slice(0, 4)) assert.ok(outcome instanceof KafkaClientError);
    for (const outcome of outcomes.slice(4)) assertRecords(viewOf(outcome), [smallBatch]);
  });

  test('that cannot start lose no task', async () => {
    // One thread: Node 20 aborts the process when a second one is ended while it loads this.
    const pool = open(1, 'does-not-load');
    for (const outcome of await outcomesOf(pool, [decodeTask(), decodeTask(), decodeTask(), decodeTask()])) {
      assert.ok(viewOf(outcome).responses.length > 0);
    }
  });

  test('without zstd fail such a request, and give such a batch an error of its partition', async () => {
    const batches = [noisyBatch(1000, 1), noisyBatch(1000, 2, 'zstd')];
    const flat = flatOf(Produce, produceRequest(batches));
    const [decoded, encoded] = await outcomesOf(open(1, 'without-zstd'), [
      decodeTask(fetchBody(version, fetchResponse(batches))),
      { kind: 'encode', flat, header },
    ]);
    const { partitions } = viewOf(decoded!).responses.at(0);
    assert.equal(partitions.at(0).records.error, null);
    assert.match(partitions.at(1).records.error!.message, /zstd/);
    assert.ok(encoded instanceof KafkaClientError);
    assert.equal(encoded.code, 'KAFKA_UNSUPPORTED_CODEC');
  });

  test('end at close with running tasks, and the process can end', async () => {
    const pool = open(2);
    const outcomes: unknown[] = [];
    const body = fetchBody(version, fetchResponse([noisyBatch(4 * MiB, 1, 'gzip')]));
    for (let i = 0; i < 6; i++) pool.decode(decodeTask(body), (outcome) => outcomes.push(outcome));
    const first = pool.close(cancelled, 0);
    assert.deepEqual(
      outcomes,
      Array.from({ length: 6 }, () => cancelled),
    );
    await first;
    assert.equal(pool.poll(0), 0);
  });
});
