// The codec pool with fake threads: how many tasks run, how many bytes they hold, and how each task ends.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { Cancelled, KafkaClientError, KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { Fetch, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { CodecAccount } from '../../../../src/worker/requests/codec-account.ts';
import { CodecPool } from '../../../../src/worker/requests/codec-pool.ts';
import type { DecodedBody, DecodeTask } from '../../../../src/worker/requests/codec-work.ts';
import { decodeOptions } from '../../../../src/worker/requests/decode-options.ts';
import { fetchResponse, KiB, noisyBatch, produceRequest } from '../support/big-messages.ts';
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

  test('receivers take turns, however many tasks one of them has', async () => {
    const pool = open(1);
    const order: string[] = [];
    const add = (name: string, account: CodecAccount): void => {
      pool.decode(decodeTask(), () => order.push(name), account);
    };
    const [busy, modest] = [new CodecAccount(), new CodecAccount()];
    for (let i = 0; i < 4; i++) add(`busy ${i}`, busy);
    for (let i = 0; i < 2; i++) add(`modest ${i}`, modest);
    await threads.settled();
    while (order.length < 6) {
      await threads.finish(0);
      await threads.settled();
      pool.poll(0);
    }
    assert.deepEqual(order, ['busy 0', 'modest 0', 'busy 1', 'modest 1', 'busy 2', 'busy 3']);
    await pool.close(cancelled, 0);
  });

  test('poll hands out results with its own time, after the pool has woken the poll loop', async () => {
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

  test('a frame waits undecoded until its receiver has taken the bodies before it, and other receivers do not wait', async () => {
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

  test('unread bodies and running tasks count, and frames wait undecoded until the reader reads', async () => {
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

  test('a frame with room but without a thread is not offered again and again', async () => {
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

  test('a small frame does not overtake a larger one of the same receiver, because the larger one could then wait for ever', async () => {
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

  test('frames of a receiver that has gone are settled undecoded, and others go on', async () => {
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

  test('one task runs in each thread, and the others wait', async () => {
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

  test('64 MiB of requests and responses fit together, and a larger one only alone', async () => {
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

  test('errors keep their class, and a lost thread fails only its task with an error of its own', async () => {
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

  test('tasks are done in this thread if no threads can be started, and that is logged once', async () => {
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

  test('tasks are done in this thread if the pool cannot be loaded', async () => {
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

  test('close hands out finished tasks and settles running and waiting tasks once', async () => {
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
