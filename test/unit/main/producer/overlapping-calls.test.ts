// Calls of a producer that overlap with its end, with a time limit or with each other. Test thread, both ends in one.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Cancelled, ProducerClosedError, TransactionAbortedError } from '../../../../src/common/errors/errors.ts';
import type { PlainError } from '../../../../src/common/errors/plain-error.ts';
import { TrackKind } from '../../../../src/common/record-tracking.ts';
import type { GroupAppender, ProducerOptions } from '../../../../src/main/producer/producer-types.ts';
import type { Transaction } from '../../../../src/main/producer/transaction.ts';
import {
  FLUSH,
  GROUP_END,
  PRODUCER_CLOSE,
  RECORD,
  TRANSACTION_BEGIN,
  TRANSACTION_END,
} from '../../../../src/ring/frames/kinds.ts';
import {
  flushedFrame,
  producerClosedFrame,
  transactionDoneFrame,
} from '../../../../src/ring/frames/producer-call-frames.ts';
import { DeliveredRunsBuilder, deliveredFrame } from '../../../../src/ring/frames/record-frames.ts';
import { ProducerBench } from './support/producer-bench.ts';

let bench: ProducerBench<string, string>;

function open(options: ProducerOptions<string, string> = {}): typeof bench.producer {
  bench = new ProducerBench(options);
  return bench.producer;
}

afterEach(() => {
  bench.session.onThreadLost(new Cancelled('the test is over'));
  bench.close();
});

const text = (value: string): string => value;
const neverSerialized = (): Promise<string> => new Promise(() => {});

/** Serializers that end when a test opens their gates. */
function gated(): { readonly serializeValue: (value: string) => string | Promise<string>; readonly open: () => void } {
  const gates: (() => void)[] = [];
  return {
    serializeValue: (value) =>
      value === 'at once' ? value : new Promise((resolve) => gates.push(() => resolve(value))),
    open: () => {
      for (const gate of gates.splice(0)) gate();
    },
  };
}

/** Begins a transaction, which the network thread answers. */
async function begun(producer: typeof bench.producer): Promise<Transaction<string, string>> {
  const beginning = producer.begin();
  await bench.answer(transactionDoneFrame({ callId: bench.postedOf(TRANSACTION_BEGIN).requestId, error: null }));
  return beginning;
}

/** Settles within some turns of the event loop. */
async function settled(promise: PromiseLike<unknown>): Promise<string> {
  let outcome = 'open';
  void promise.then(
    () => {
      outcome = 'done';
    },
    (error: Error) => {
      outcome = error.name;
    },
  );
  await bench.turns();
  return outcome;
}

/** A record fails, as the network thread tells it. */
async function fails(trackId: number): Promise<void> {
  const runs = new DeliveredRunsBuilder();
  runs.add(trackId, TrackKind.NONE, 1, 0);
  const error = { error: { name: 'DeliveryTimeoutError', message: 'too late' } };
  const place = { topicHandle: 0, partition: 0, offsetLow: -1, offsetHigh: -1, logAppendTimeMs: -1 };
  bench.counters.add('failed', 1);
  await bench.answer(deliveredFrame({ ...place, error, runs: runs.build() }));
}

test('a close after the client that it belongs to was closed by another thread ends at once', async () => {
  const producer = open();
  bench.session.onThreadLost(new Cancelled('the client that this one is attached to was closed'));
  assert.equal(await settled(producer.close()), 'done');
  assert.equal(bench.holds, 0);
});

test('records under way when the network thread is lost may be written', async () => {
  const producer = open();
  const sent = producer.send('t', { value: 'v' });
  bench.session.onThreadLost(new Cancelled('the client that this one is attached to was closed'));
  await assert.rejects(
    async () => sent,
    (error: Cancelled) => error instanceof Cancelled && error.maybeWritten === true,
  );
});

test('an outcome that the network thread has written counts, although it is read when the thread is lost', async () => {
  const producer = open();
  const sent = producer.send('t', { value: 'v' });
  const runs = new DeliveredRunsBuilder();
  runs.add(1, TrackKind.SINGLE, 1, 0);
  const place = { topicHandle: 0, partition: 0, offsetLow: 7, offsetHigh: 0, logAppendTimeMs: -1, error: null };
  bench.write(deliveredFrame({ ...place, runs: runs.build() }));
  bench.session.onThreadLost(new Cancelled('the client that this one is attached to was closed'));
  assert.equal(String((await sent).offset), '7');
});

test('an earlier limit of a later close counts, and both calls return the same Future', async () => {
  const producer = open();
  const closing = producer.close();
  assert.equal(producer.close({ timeoutMs: 700 }), closing);
  const closed = bench.session.closeWithClient(300);
  await bench.turns();
  assert.deepEqual(bench.limits, [700, 300]);
  await bench.answer(producerClosedFrame(bench.postedOf(PRODUCER_CLOSE).requestId));
  await closed;
  assert.equal(await settled(closing), 'done');
});

test('a close with a time limit does not wait for a serializer beyond it, and the record fails', async () => {
  const producer = open({ serializeValue: neverSerialized });
  const sent = producer.send('t', { value: 'v' });
  sent.addErrback(() => {});
  const closing = producer.close();
  await bench.turns();
  assert.ok(!bench.posted().some(({ kind }) => kind === PRODUCER_CLOSE));
  producer.close({ timeoutMs: 0 });
  await bench.answer(producerClosedFrame((await bench.untilPosted(PRODUCER_CLOSE)).requestId));
  assert.equal(await settled(closing), 'done');
  await assert.rejects(
    async () => sent,
    (error: ProducerClosedError) => error instanceof ProducerClosedError && error.maybeWritten !== true,
  );
});

test('a flush and a commit that wait for a serializer end with the producer', async () => {
  const producer = open({ serializeValue: neverSerialized, transactionalId: 'x' });
  const beginning = producer.begin();
  await bench.answer(transactionDoneFrame({ callId: bench.postedOf(TRANSACTION_BEGIN).requestId, error: null }));
  const tx = await beginning;
  tx.send('t', { value: 'v' });
  const ends = [producer.flush(), tx.commit()].map(settled);
  bench.session.onThreadLost(new Cancelled('closed'));
  assert.deepEqual(await Promise.all(ends), ['Cancelled', 'Cancelled']);
});

test('a flush that was given up leaves its report to the next one', async () => {
  const producer = open();
  const ways: Record<string, () => Promise<void>> = {
    'a blocking one whose time is over': async () => {
      assert.throws(() => producer.flushSync(0), /did not end within 0 ms/);
    },
    'one whose signal is aborted': async () => {
      const controller = new AbortController();
      const given = producer.flush({ signal: controller.signal });
      controller.abort();
      assert.equal(await settled(given), 'AbortError');
    },
  };
  for (const [way, giveUp] of Object.entries(ways)) {
    assert.ok(producer.append('t', null, 'v'));
    await giveUp();
    const late = bench.postedOf(FLUSH).requestId;
    await fails(0);
    await bench.answer(flushedFrame(late));
    const next = producer.flush();
    await bench.answer(flushedFrame(bench.postedOf(FLUSH).requestId));
    const { records, failed, failures } = await next;
    assert.deepEqual([records, failed, failures.length], [1, 1, 1], way);
  }
});

test('a sendAll whose source ends after the producer keeps nothing alive', async () => {
  const producer = open();
  let end: () => void = () => {};
  async function* slow(): AsyncGenerator<{ value: string }> {
    yield { value: 'a' };
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  }
  const sending = producer.sendAll('t', slow());
  await bench.turns();
  bench.session.onThreadLost(new Cancelled('closed'));
  assert.equal(await settled(sending), 'Cancelled');
  end();
  await bench.turns();
  assert.equal(bench.holds, 0);
});

test('the network thread is told of the end of a sendAll whose source throws, so that it forgets the group', async () => {
  const producer = open();
  function* broken(): Generator<{ value: string }> {
    yield { value: 'a' };
    yield { value: 'b' };
    throw new RangeError('the source is broken');
  }
  assert.equal(await settled(producer.sendAll('t', broken())), 'RangeError');
  const frames = bench.posted();
  assert.equal(frames.filter(({ kind }) => kind === RECORD).length, 2);
  assert.equal(frames.find(({ kind }) => kind === GROUP_END)?.detail, 2);
});

test('the callback of sendAll cannot append after it has returned: nothing would report those records', () => {
  const producer = open();
  let kept: GroupAppender | undefined;
  const sending = producer.sendAll('t', (appender) => {
    kept = appender;
    assert.ok(appender.append(null, 'in time'));
  });
  sending.addErrback(() => {});
  assert.throws(() => kept!.append(null, 'late'), /has returned/);
  assert.equal(bench.posted().filter(({ kind }) => kind === RECORD).length, 1);
});

test('after an abort a sendAll of the transaction writes nothing into the next one', async () => {
  const producer = open({ transactionalId: 'x', serializeValue: text });
  const beginning = producer.begin();
  await bench.answer(transactionDoneFrame({ callId: bench.postedOf(TRANSACTION_BEGIN).requestId, error: null }));
  const tx = await beginning;
  const gates: (() => void)[] = [];
  async function* slow(): AsyncGenerator<{ value: string }> {
    yield { value: 'a' };
    await new Promise<void>((resolve) => gates.push(resolve));
    yield { value: 'b' };
  }
  const sending = tx.sendAll('t', slow());
  await bench.turns();
  const aborted = tx.abort();
  await bench.turns();
  const frames = bench.posted();
  assert.equal(frames.filter(({ kind }) => kind === RECORD).length, 1);
  await bench.answer(
    transactionDoneFrame({ callId: frames.find(({ kind }) => kind === TRANSACTION_END)!.requestId, error: null }),
  );
  await aborted;
  gates[0]!();
  assert.equal(await settled(sending), 'TransactionAbortedError');
  assert.equal(bench.posted().filter(({ kind }) => kind === RECORD).length, 0);
});

test('the calls of a transaction name the call that began it', async () => {
  const producer = open({ transactionalId: 'x' });
  const begun: number[] = [];
  for (let i = 0; i < 2; i++) {
    const beginning = producer.begin();
    const { requestId } = bench.postedOf(TRANSACTION_BEGIN);
    await bench.answer(transactionDoneFrame({ callId: requestId, error: null }));
    const tx = await beginning;
    const ended = tx.commit();
    await bench.turns();
    const end = bench.postedOf(TRANSACTION_END);
    assert.equal(end.detail, requestId);
    await bench.answer(transactionDoneFrame({ callId: end.requestId, error: null }));
    await ended;
    begun.push(requestId);
  }
  assert.notEqual(begun[0], begun[1]);
});

test('an abort does not wait for serializers: their records fail, and nothing of them is written into the next transaction', async () => {
  const { serializeValue, open: openGates } = gated();
  const producer = open({ transactionalId: 'x', serializeValue });
  const tx = await begun(producer);
  const groups = [tx.sendAll('t', [{ value: 'a' }])];
  const sent = [tx.send('t', { value: 'b' }), tx.send('t', { value: 'at once' })];
  groups.push(tx.sendAll('t', [{ value: 'c' }]));
  await bench.turns();
  const aborted = tx.abort();
  for (const each of groups) assert.equal(await settled(each), 'TransactionAbortedError');
  for (const each of sent)
    await assert.rejects(
      async () => each,
      (error: TransactionAbortedError) => error instanceof TransactionAbortedError && error.maybeWritten === false,
    );
  const frames = bench.posted();
  assert.deepEqual(
    frames.map(({ kind }) => kind),
    [TRANSACTION_END],
  );
  await bench.answer(transactionDoneFrame({ callId: frames[0]!.requestId, error: null }));
  await aborted;
  assert.equal(bench.holds, 0, 'nothing keeps the process alive');
  const next = await begun(producer);
  next.send('t', { value: 'at once' });
  const kindsOf = (): number[] => bench.posted().map(({ kind }) => kind);
  assert.equal(kindsOf().filter((kind) => kind === RECORD).length, 1, 'it waits for no record of before');
  openGates();
  await bench.turns();
  assert.deepEqual(kindsOf(), []);
});

test('a record that is given when the abort was called already is not written into the next transaction', async () => {
  const { serializeValue, open: openGates } = gated();
  const producer = open({ transactionalId: 'x', serializeValue });
  const tx = await begun(producer);
  const aborted = tx.abort();
  const sent = [producer.send('t', { value: 'a' }), producer.send('t', { value: 'at once' })];
  await bench.answer(
    transactionDoneFrame({ callId: (await bench.untilPosted(TRANSACTION_END)).requestId, error: null }),
  );
  await aborted;
  await begun(producer);
  openGates();
  for (const each of sent) assert.equal(await settled(each), 'IllegalStateError');
  assert.deepEqual(bench.posted(), []);
});

test('a commit waits for serializers', async () => {
  const { serializeValue, open: openGates } = gated();
  const tx = await begun(open({ transactionalId: 'x', serializeValue }));
  tx.send('t', { value: 'a' });
  tx.commit().catch(() => {});
  await bench.turns();
  assert.deepEqual(bench.posted(), []);
  openGates();
  await bench.turns();
  const kinds = bench.posted().map(({ kind }) => kind);
  assert.deepEqual(kinds.slice(-2), [RECORD, TRANSACTION_END]);
});

test('a commit that waits for a serializer fails when the transaction is aborted meanwhile', async () => {
  const tx = await begun(open({ transactionalId: 'x', serializeValue: neverSerialized }));
  tx.send('t', { value: 'a' });
  const committing = tx.commit();
  const outcome = settled(committing);
  const aborted = tx.abort();
  assert.equal(await outcome, 'TransactionAbortableError');
  const ends = bench.posted().filter(({ kind }) => kind === TRANSACTION_END);
  assert.equal(ends.length, 1);
  await bench.answer(transactionDoneFrame({ callId: ends[0]!.requestId, error: null }));
  await aborted;
});

test('an abort that is called again, because its time was over, leaves the records of the next transaction alone', async () => {
  const producer = open({ transactionalId: 'x', serializeValue: neverSerialized });
  const tx = await begun(producer);
  const end = async (error: PlainError | null): Promise<string> => {
    const aborted = settled(tx.abort());
    await bench.answer(transactionDoneFrame({ callId: bench.postedOf(TRANSACTION_END).requestId, error }));
    return aborted;
  };
  assert.equal(await end({ name: 'KafkaTimeoutError', message: 'not in time' }), 'KafkaTimeoutError');
  const next = await begun(producer);
  const sent = next.send('t', { value: 'v' });
  sent.addErrback(() => {});
  assert.equal(await end(null), 'done');
  assert.equal(sent.isDone, false);
});
