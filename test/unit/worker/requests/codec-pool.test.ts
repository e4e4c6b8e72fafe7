// The codec pool by itself: how many tasks, how many bytes, what becomes of each; then the same with real threads.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { Cancelled, KafkaClientError, KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { FlatMessage } from '../../../../src/protocol/flat/flat-view.ts';
import { Fetch, Produce } from '../../../../src/protocol/flat/generated/apis.ts';

import { CodecAccount } from '../../../../src/worker/requests/codec-account.ts';
import { CodecPool, startCodecThreads } from '../../../../src/worker/requests/codec-pool.ts';
import type { CodecTask, DecodedBody, DecodeTask, EncodedFrame } from '../../../../src/worker/requests/codec-work.ts';
import { perform } from '../../../../src/worker/requests/codec-work.ts';

import { decodeOptions } from '../../../../src/worker/requests/decode-options.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { assertRecords, fetchResponse, KiB, noisyBatch, produceRequest } from '../support/big-messages.ts';
import { exitVersion, uncaughtVersion } from '../support/codec-entries/ends-thread.ts';
import { fetchBody, flatOf } from '../support/codec-messages.ts';
import { FakeCodecThreads } from '../support/fake-codec-threads.ts';

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

describe('tasks and bytes', () => {
  let wakes = 0;
  let starts = 0;
  let threads = new FakeCodecThreads();

  function open(count = 2): CodecPool {
    wakes = 0;
    starts = 0;
    threads = new FakeCodecThreads();
    return new CodecPool(
      count,
      () => {
        wakes++;
      },
      async () => {
        starts++;
        return threads;
      },
    );
  }

  /** Sends so many tasks; what they came to, in that order. */
  function send(pool: CodecPool, count: number, claimedBytes = 0): (DecodedBody | Error | null)[] {
    const outcomes: (DecodedBody | Error | null)[] = Array.from({ length: count }, () => null);
    for (let i = 0; i < count; i++) {
      pool.decode(decodeTask(smallBody, { claimedBytes }), (outcome) => {
        assert.equal(outcomes[i], null, 'settled twice');
        outcomes[i] = outcome;
      });
    }
    return outcomes;
  }

  test('no thread is started before the first task, and then once', async () => {
    const pool = open();
    assert.equal(pool.poll(0), 0);
    await threads.settled();
    assert.equal(starts, 0);
    send(pool, 3);
    await threads.settled();
    assert.equal(starts, 1);
    await pool.close(cancelled, 0);
  });

  test('a pool that was never needed closes without having been started', async () => {
    const pool = open();
    await pool.close(cancelled, 0);
    assert.equal(starts, 0);
    assert.equal(pool.isEnabled, true);
    assert.equal(open(0).isEnabled, false);
  });

  test('results are handed out by poll, with its time, after waking the poll loop', async () => {
    const pool = open();
    let at = -1;
    let result: DecodedBody | Error | null = null;
    pool.decode(decodeTask(), (outcome, now) => {
      result = outcome;
      at = now;
    });
    await threads.settled();
    assert.equal(wakes, 0);
    await threads.finish();
    assert.equal(wakes, 1);
    assert.equal(result, null);
    assert.equal(pool.poll(1234), 1);
    assert.equal(at, 1234);
    assert.ok(result !== null && !((result as unknown) instanceof Error));
    assert.equal(pool.poll(1235), 0);
    await pool.close(cancelled, 0);
  });

  test('a frame waits undecoded while the bodies before it are not taken over; another receiver does not', async () => {
    const pool = open(1);
    const behind = new CodecAccount();
    const other = new CodecAccount();
    const bodies: DecodedBody[] = [];
    const decode = (account: CodecAccount): void => {
      const done = (outcome: DecodedBody | Error): void => {
        assert.ok(!(outcome instanceof Error));
        bodies.push(outcome);
      };
      pool.decode(decodeTask(), done, account);
    };
    decode(behind);
    await threads.settled();
    await threads.finish();
    pool.poll(0);
    assert.equal(bodies.length, 1);
    assert.equal(behind.heldBytes, bodies[0]!.buffer.byteLength);
    // As after many more: those that are held already have used the budget up.
    behind.heldBytes += 64 * MiB;
    decode(behind);
    decode(other);
    await threads.settled();
    assert.equal(threads.running.length, 1, "the other receiver's");
    await threads.finish();
    pool.poll(0);
    assert.equal(bodies.length, 2);
    await threads.settled();
    assert.equal(threads.running.length, 0);
    pool.release(behind, 64 * MiB, 0);
    await threads.settled();
    assert.equal(threads.running.length, 1);
    await threads.finish();
    pool.poll(0);
    assert.equal(bodies.length, 3);
    await pool.close(cancelled, 0);
  });

  /** Adds a task for a frame that claims so much. Returns the body, once there is one. */
  function decodeFor(account: CodecAccount, pool: CodecPool, claimedBytes: number) {
    const state: { outcome: DecodedBody | Error | null } = { outcome: null };
    const done = (outcome: DecodedBody | Error): void => {
      assert.equal(state.outcome, null, 'settled twice');
      state.outcome = outcome;
    };
    pool.decode(decodeTask(smallBody, { claimedBytes }), done, account);
    return state;
  }

  test('what a reader has not read counts, and so do tasks that run: frames wait undecoded until it reads', async () => {
    const pool = open(3);
    const account = new CodecAccount(100 * MiB);
    pool.noteUnread(account, 30 * MiB);
    decodeFor(account, pool, 40 * MiB);
    decodeFor(account, pool, 40 * MiB);
    await threads.settled();
    assert.equal(threads.running.length, 1, '30 unread, 40 to come: the next 40 are too many');
    assert.ok(account.isWaiting);
    assert.equal(account.canGoOn(21 * MiB), false);
    assert.equal(account.canGoOn(20 * MiB), true);
    pool.noteUnread(account, 21 * MiB);
    await threads.settled();
    assert.equal(threads.running.length, 1);
    pool.noteUnread(account, 20 * MiB);
    await threads.settled();
    assert.equal(threads.running.length, 2);
    assert.equal(account.isWaiting, false);
    await pool.close(cancelled, 0);
  });

  test('a frame that finds room but no thread is not offered again and again', async () => {
    const pool = open(1);
    const account = new CodecAccount(100 * MiB);
    pool.noteUnread(account, 100 * MiB);
    decodeFor(account, pool, MiB);
    const other = new CodecAccount();
    decodeFor(other, pool, 0);
    await threads.settled();
    assert.ok(account.isWaiting);
    pool.noteUnread(account, 0);
    assert.equal(account.canGoOn(0), false, 'it waits for a thread now');
    await threads.finish();
    await threads.settled();
    assert.equal(threads.running.length, 1);
    await pool.close(cancelled, 0);
  });

  test('a small frame does not overtake a larger one of the same receiver, which would then wait for its body for ever', async () => {
    const pool = open(3);
    const account = new CodecAccount(64 * MiB);
    const first = decodeFor(account, pool, 0);
    await threads.settled();
    await threads.finish();
    pool.poll(0);
    assert.ok(first.outcome !== null && !(first.outcome instanceof Error));
    decodeFor(account, pool, 64 * MiB);
    decodeFor(account, pool, 0);
    await threads.settled();
    assert.equal(threads.running.length, 0);
    pool.release(account, first.outcome.buffer.byteLength, 0);
    await threads.settled();
    assert.equal(threads.running.length, 1);
    assert.equal(threads.running[0]!.task.kind === 'decode' && threads.running[0]!.task.end, 64 * MiB);
    await pool.close(cancelled, 0);
  });

  test('what waits for a receiver that has gone is settled undecoded, and others go on', async () => {
    const pool = open(1);
    const gone = new CodecAccount(MiB);
    pool.noteUnread(gone, MiB);
    const waiting = [decodeFor(gone, pool, MiB), decodeFor(gone, pool, MiB)];
    await threads.settled();
    assert.equal(pool.taskCount, 2);
    const error = new Cancelled('gone');
    pool.drop(gone, error, 0);
    assert.deepEqual(
      waiting.map(({ outcome }) => outcome),
      [error, error],
    );
    assert.equal(pool.taskCount, 0);
    assert.equal(pool.bytesInTasks, 0);
    assert.equal(gone.bytesInTasks, 0);
    assert.equal(gone.isWaiting, false);
    const other = decodeFor(new CodecAccount(), pool, 0);
    await threads.settled();
    await threads.finish();
    pool.poll(0);
    assert.ok(other.outcome !== null && !(other.outcome instanceof Error));
    await pool.close(cancelled, 0);
  });

  test('one task for each thread runs, the others wait their turn', async () => {
    const pool = open(3);
    const outcomes = send(pool, 5);
    await threads.settled();
    assert.equal(threads.running.length, 3);
    await threads.finish(2);
    assert.equal(threads.count, 4);
    await threads.finishAll();
    assert.equal(pool.poll(0), 5);
    for (const outcome of outcomes) assert.ok(outcome !== null && !(outcome instanceof Error));
    await pool.close(cancelled, 0);
  });

  test('the memory of a frame is taken at once', async () => {
    const pool = open(1);
    const tasks = [decodeTask(), decodeTask()];
    for (const task of tasks) {
      pool.decode(task, () => {});
      assert.equal(task.frame.length, 0, 'its former owner has nothing left to write into');
    }
    await pool.close(cancelled, 0);
  });

  test('64 MiB of frames fit, requests and responses together; more only when nothing else is there', async () => {
    const pool = open();
    assert.equal(pool.hasRoom(1000 * MiB), true, 'alone, however large');
    send(pool, 1, 40 * MiB);
    assert.equal(pool.hasRoom(24 * MiB), true);
    assert.equal(pool.hasRoom(24 * MiB + 1), false);
    const flat = flatOf(Produce, produceRequest([smallBatch]));
    const flatBytes = flat.byteLength;
    pool.encode({ kind: 'encode', flat, header }, () => {});
    assert.equal(pool.hasRoom(24 * MiB - flatBytes), true);
    assert.equal(pool.hasRoom(24 * MiB - flatBytes + 1), false);
    await threads.settled();
    await threads.finish(1);
    assert.equal(pool.hasRoom(24 * MiB), true, 'what is done counts no more');
    assert.equal(pool.hasRoom(24 * MiB + 1), false);
    await threads.lose(0);
    assert.equal(pool.hasRoom(1000 * MiB), true, 'nor what was lost');
    pool.poll(0);
    await pool.close(cancelled, 0);
  });

  test('errors arrive with their class; a lost thread has its own, and takes no other task with it', async () => {
    const pool = open(1);
    const outcomes: (DecodedBody | Error)[] = [];
    pool.decode(decodeTask(smallBody.subarray(0, 10)), (outcome) => outcomes.push(outcome));
    pool.decode(decodeTask(), (outcome) => outcomes.push(outcome));
    pool.decode(decodeTask(), (outcome) => outcomes.push(outcome));
    await threads.settled();
    await threads.finish();
    await threads.lose();
    await threads.finish();
    pool.poll(0);
    assert.ok(outcomes[0] instanceof KafkaProtocolError);
    assert.ok(outcomes[1] instanceof KafkaClientError && !(outcomes[1] instanceof KafkaProtocolError));
    assert.match((outcomes[1].cause as Error).message, /exited/);
    assert.ok(!(outcomes[2] instanceof Error));
    await pool.close(cancelled, 0);
  });

  test('threads that cannot be started cost no task: each is done here, which is told once', async () => {
    const told: unknown[] = [];
    let attempts = 0;
    const pool = new CodecPool(
      2,
      () => {},
      async () => ({
        run: async () => {
          attempts++;
          throw new Error('no threads here');
        },
        destroy: async () => {},
      }),
      (cause) => told.push((cause as Error).message),
    );
    const outcomes = send(pool, 10);
    let done = 0;
    while (done < 10) {
      await threads.settled();
      done += pool.poll(0);
    }
    for (const outcome of outcomes) assert.ok(outcome !== null && !(outcome instanceof Error) && outcome.usedBytes > 0);
    assert.deepEqual(told, ['no threads here']);
    assert.ok(attempts >= 3 && attempts <= 4, `${attempts} tasks were offered to threads`);
    assert.equal(pool.hasRoom(1000 * MiB), true);
    await pool.close(cancelled, 0);
  });

  test('a pool that cannot be loaded at all costs no task either', async () => {
    const pool = new CodecPool(
      2,
      () => {},
      () => Promise.reject(new Error('no pool here')),
    );
    const outcomes = send(pool, 3);
    await threads.settled();
    assert.equal(pool.poll(0), 3);
    for (const outcome of outcomes) assert.ok(outcome !== null && !(outcome instanceof Error));
    await pool.close(cancelled, 0);
  });

  test('close hands out what is done and settles the rest, running or waiting, once', async () => {
    const pool = open(2);
    const outcomes = send(pool, 5);
    await threads.settled();
    await threads.finish(1);
    const closed = pool.close(cancelled, 0);
    assert.ok(outcomes[1] !== null && !(outcomes[1] instanceof Error));
    for (const i of [0, 2, 3, 4]) assert.equal(outcomes[i], cancelled);
    await closed;
    assert.ok(threads.isDestroyed);
    await threads.settled();
    assert.equal(pool.poll(0), 0);
  });
});

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
    tasks: readonly CodecTask[],
  ): Promise<(DecodedBody | EncodedFrame | Error)[]> {
    const outcomes = new Map<CodecTask, DecodedBody | EncodedFrame | Error>();
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

  test('give the same bytes as this thread, whatever the codec', async () => {
    const pool = open(2);
    const batches = (['gzip', 'snappy', 'lz4', 'zstd'] as const).map((codec, i) => noisyBatch(100 * KiB, i + 1, codec));
    const bodies = batches.map((batch) => fetchBody(version, fetchResponse([batch])));
    const encodeTask = (): CodecTask => ({ kind: 'encode', flat: flatOf(Produce, produceRequest(batches)), header });
    // The time of the records is given, so requests made twice are the same.
    const expected = perform(encodeTask()) as EncodedFrame;
    const outcomes = await outcomesOf(pool, [...bodies.map((body) => decodeTask(body)), encodeTask()]);
    for (const [i, batch] of batches.entries()) assertRecords(viewOf(outcomes[i]!), [batch]);
    const frame = outcomes[4] as EncodedFrame;
    assert.deepEqual(Buffer.from(frame.buffer, 0, frame.usedBytes), Buffer.from(expected.buffer));
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

  test('that cannot start cost no task', async () => {
    // One thread: Node 20 aborts the process when a second one is ended while it loads this.
    const pool = open(1, 'does-not-load');
    for (const outcome of await outcomesOf(pool, [decodeTask(), decodeTask(), decodeTask(), decodeTask()])) {
      assert.ok(viewOf(outcome).responses.length > 0);
    }
  });

  test("without zstd: such a batch is its partition's error, such a request fails", async () => {
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

  test('close with tasks under way ends them, and the process can end', async () => {
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
