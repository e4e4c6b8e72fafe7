// What ends a sendAll while it waits: for its source, for a serializer, or for room. Test thread, both ends of the link in one.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Cancelled } from '../../../../src/common/errors/errors.ts';
import type { ProducerOptions, ProducerRecord } from '../../../../src/main/producer/producer-types.ts';
import type { Transaction } from '../../../../src/main/producer/transaction.ts';
import { GROUP_END, RECORD, TRANSACTION_BEGIN, TRANSACTION_END } from '../../../../src/ring/frames/kinds.ts';
import { producerFatalFrame, transactionDoneFrame } from '../../../../src/ring/frames/producer-call-frames.ts';
import { ProducerBench } from './support/producer-bench.ts';

type Item = ProducerRecord<string, string>;

let bench: ProducerBench<string, string>;

function open(options: ProducerOptions<string, string> = {}): typeof bench.producer {
  bench = new ProducerBench({ transactionalId: 'x', ...options });
  return bench.producer;
}

afterEach(() => {
  bench.session.onThreadLost(new Cancelled('the test is over'));
  bench.close();
});

async function begun(): Promise<Transaction<string, string>> {
  const beginning = bench.producer.begin();
  await bench.answer(transactionDoneFrame({ callId: bench.postedOf(TRANSACTION_BEGIN).requestId, error: null }));
  return beginning;
}

/** A source that gives a record when the test says so. */
class Source implements AsyncIterable<Item> {
  /** How often its iterator was told that no more records are taken. */
  returns = 0;
  #give: (result: IteratorResult<Item>) => void = () => {};

  [Symbol.asyncIterator](): AsyncIterator<Item> {
    return {
      next: () => new Promise((resolve) => (this.#give = resolve)),
      return: async () => {
        this.returns++;
        return { done: true, value: undefined };
      },
    };
  }

  async give(value: string): Promise<void> {
    this.#give({ done: false, value: { value } });
    await bench.turns();
  }
}

/** What has become of it by now. */
async function outcomeOf(future: PromiseLike<unknown>): Promise<string[]> {
  const outcomes: string[] = [];
  future.then(
    () => outcomes.push('done'),
    (error: Error) => outcomes.push(error.name),
  );
  await bench.turns();
  return outcomes;
}

/** The network thread has ended the transaction, as it was asked to. */
function transactionEnds(): Promise<void> {
  return bench.answer(transactionDoneFrame({ callId: bench.postedOf(TRANSACTION_END).requestId, error: null }));
}

function recordsPosted(): number {
  return bench.posted().filter(({ kind }) => kind === RECORD).length;
}

const ends: Record<string, [end: (tx: Transaction<string, string>) => unknown, error: string]> = {
  'the abort of its transaction': [(tx) => void tx.abort().catch(() => {}), 'TransactionAbortedError'],
  'the close of the producer': [() => void bench.producer.close().addErrback(() => {}), 'ProducerClosedError'],
  'the close of the client': [() => void bench.session.closeWithClient(1000), 'ProducerClosedError'],
  'a fatal error': [
    () => bench.answer(producerFatalFrame({ name: 'ProducerFencedError', message: 'another one has begun' })),
    'ProducerFencedError',
  ],
};

for (const [what, [end, error]] of Object.entries(ends)) {
  test(`${what} ends a sendAll that waits for its source, which is told so`, async () => {
    open();
    const tx = await begun();
    const source = new Source();
    const sending = tx.sendAll('t', source);
    await source.give('a');
    assert.equal(recordsPosted(), 1);
    await end(tx);
    assert.deepEqual(await outcomeOf(sending), [error]);
    assert.equal(source.returns, 1);
    const groupEnd = bench.posted().find(({ kind }) => kind === GROUP_END);
    assert.equal(groupEnd?.detail, 1, 'the network thread need not remember the group');
    await source.give('b');
    assert.equal(recordsPosted(), 0);
    assert.equal(source.returns, 1);
  });
}

test('a transaction whose callback fails ends a sendAll that waits for its source, and the next one gets none of its records', async () => {
  const producer = open();
  const source = new Source();
  let fail: () => void = () => {};
  let sending: PromiseLike<unknown> | undefined;
  const ended = producer.transaction(async (tx) => {
    sending = tx.sendAll('t', source);
    await new Promise<never>((_, reject) => (fail = () => reject(new RangeError('changed my mind'))));
  });
  ended.catch(() => {});
  await bench.answer(transactionDoneFrame({ callId: bench.postedOf(TRANSACTION_BEGIN).requestId, error: null }));
  await source.give('a');
  fail();
  await bench.turns();
  assert.deepEqual(await outcomeOf(sending!), ['TransactionAbortedError']);
  await transactionEnds();
  assert.deepEqual(await outcomeOf(ended), ['RangeError']);
  const next = await begun();
  next.append('t', null, 'of the next one');
  await source.give('b');
  assert.equal(recordsPosted(), 1);
  assert.equal(source.returns, 1);
  assert.equal(producer.counters.appended, 2);
});

test('a commit that waits for a source fails when the transaction is aborted meanwhile', async () => {
  open();
  const tx = await begun();
  tx.sendAll('t', new Source());
  await bench.turns();
  const committing = outcomeOf(tx.commit());
  const aborted = tx.abort();
  assert.deepEqual(await committing, ['TransactionAbortableError']);
  await transactionEnds();
  await aborted;
});

test('a sendAll of the producer goes on when a transaction is aborted', async () => {
  const producer = open();
  const source = new Source();
  const sending = producer.sendAll('t', source);
  sending.addErrback(() => {});
  const tx = await begun();
  const aborted = tx.abort();
  await transactionEnds();
  await aborted;
  await source.give('a');
  assert.equal(recordsPosted(), 1);
  assert.equal(source.returns, 0);
});

test('a signal ends a sendAll that waits for its source, which is told so', async () => {
  const producer = open();
  const source = new Source();
  const controller = new AbortController();
  const sending = producer.sendAll('t', source, { signal: controller.signal });
  await bench.turns();
  controller.abort();
  assert.deepEqual(await outcomeOf(sending), ['AbortError']);
  assert.equal(source.returns, 1);
});

test('a generator that waits hears of the end when it goes on, and its record is not taken', async () => {
  open();
  const tx = await begun();
  let goOn: () => void = () => {};
  let hasLeft = false;
  async function* slow(): AsyncGenerator<Item> {
    try {
      await new Promise<void>((resolve) => (goOn = resolve));
      yield { value: 'too late' };
    } finally {
      hasLeft = true;
    }
  }
  const sending = tx.sendAll('t', slow());
  await bench.turns();
  tx.abort().catch(() => {});
  assert.deepEqual(await outcomeOf(sending), ['TransactionAbortedError']);
  goOn();
  await bench.turns();
  assert.ok(hasLeft);
  assert.equal(recordsPosted(), 0);
});

test('a source whose iterator throws at the end, or never ends, keeps nothing up', async () => {
  open();
  const tx = await begun();
  const sources = [() => Promise.reject(new Error('no')), () => new Promise<never>(() => {}), undefined].map(
    (left) => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}), ...(left && { return: left }) }),
    }),
  );
  const sendings = sources.map((source) => tx.sendAll('t', source));
  await bench.turns();
  tx.abort().catch(() => {});
  for (const sending of sendings) assert.deepEqual(await outcomeOf(sending), ['TransactionAbortedError']);
});

for (const route of ['a list', 'an asynchronous source'])
  test(`a record of ${route} whose signal is aborted while it is serialized is not written`, async () => {
    let serialize: () => void = () => {};
    const serializeValue = (value: string): Promise<string> =>
      new Promise((resolve) => (serialize = () => resolve(value)));
    const producer = open({ serializeValue });
    const source = new Source();
    const controller = new AbortController();
    const records = route === 'a list' ? [{ value: 'a' }] : source;
    const sending = producer.sendAll('t', records, { signal: controller.signal });
    await source.give('a');
    controller.abort();
    assert.deepEqual(await outcomeOf(sending), ['AbortError']);
    serialize();
    await bench.turns();
    assert.equal(recordsPosted(), 0);
    assert.equal(source.returns, records === source ? 1 : 0);
  });

test('an abort ends a sendAll that waits for room, whichever way it takes records', async () => {
  const producer = open({ bufferMemoryBytes: 64 * 1024 });
  const tx = await begun();
  const value = 'x'.repeat(1000);
  while (producer.append('t', null, value));
  const source = new Source();
  const sendings = [tx.sendAll('t', source), tx.sendAll('t', [{ value }])];
  await source.give(value);
  tx.abort().catch(() => {});
  for (const sending of sendings) assert.deepEqual(await outcomeOf(sending), ['TransactionAbortedError']);
  assert.equal(source.returns, 1);
});
