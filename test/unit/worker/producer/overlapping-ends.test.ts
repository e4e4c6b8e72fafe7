// The end of a transaction while something else is under way: a batch that ends the producer, answers that come late, batches that were
// given up.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  FindCoordinator,
  InitProducerId,
  TxnOffsetCommit,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { type Protocol, protocols, TestTransactions } from './support/test-transactions.ts';

const codes = {
  TOPIC_AUTHORIZATION: 29,
  GROUP_AUTHORIZATION: 30,
  CLUSTER_AUTHORIZATION: 31,
  ILLEGAL_GENERATION: 22,
  INVALID_STATE: 48,
};

for (const protocol of protocols) {
  test(`${protocol}: a commit that is under way when a batch ends the producer fails, and nothing is committed`, () => {
    for (const code of [codes.CLUSTER_AUTHORIZATION, 90]) {
      const tx = new TestTransactions(protocol).opened();
      const { producer } = tx;
      const id = producer.append('refused', { partition: 0 });
      producer.poll();
      const ends: string[] = [];
      const note = (error: Error | null): void => void ends.push(error?.name ?? 'done');
      producer.role.endTransaction(true, note, producer.cluster.now);
      producer.role.beginTransaction(note, producer.cluster.now);
      tx.turns();
      producer.cluster.answer(undefined, () => code);
      tx.turns();
      assert.ok(producer.fatal !== null);
      assert.notEqual(producer.outcome(id), 'open');
      assert.deepEqual(tx.ends, [], 'the coordinator was not told to commit');
      assert.equal(ends.length, 2);
      assert.ok(!ends.includes('done'), ends.join());
    }
  });

  test(`${protocol}: the abort waits for the answer to a batch that was given up, so that nothing is written after it`, () => {
    const tx = new TestTransactions(protocol, { deliveryTimeoutMs: 500, requestTimeoutMs: 400 }).opened();
    const { producer } = tx;
    const id = producer.append('slow', { partition: 0 });
    producer.poll();
    producer.advance(500);
    assert.equal(producer.outcome(id), 'TransactionAbortableError');
    assert.equal(tx.abort(), 'open');
    assert.deepEqual(tx.ends, []);
    producer.cluster.answer();
    tx.turns();
    assert.deepEqual(tx.ends, [false]);
  });

  test(`${protocol}: a commit whose time is over says that its records may be committed, a beginning does not`, () => {
    const tx = new TestTransactions(protocol, { maxBlockMs: 1000 }).opened();
    const { producer } = tx;
    producer.append('slow', { partition: 0 });
    producer.poll();
    const doubts: unknown[] = [];
    const note = (error: (Error & { maybeWritten?: boolean }) | null): void => void doubts.push(error?.maybeWritten);
    producer.role.endTransaction(true, note, producer.cluster.now);
    producer.role.beginTransaction(note, producer.cluster.now);
    producer.advance(1000);
    assert.deepEqual(new Set(doubts), new Set([true, false]));
  });

  test(`${protocol}: a batch of a transaction counts as failed once`, () => {
    const tx = new TestTransactions(protocol, { deliveryTimeoutMs: 500, requestTimeoutMs: 400 }).opened();
    const { producer } = tx;
    producer.cluster.isUp.set(1, false);
    const id = producer.append('never sent', { partition: 0 });
    producer.advance(500);
    assert.equal(producer.outcome(id), 'TransactionAbortableError');
    assert.equal(producer.reportedFailures, 1);
  });
}

/** Turns until that request is under way. */
function untilAsked(tx: TestTransactions, api: { readonly key: number; readonly name: string }): void {
  const { cluster } = tx.producer;
  tx.producer.advance(20);
  for (let i = 0; i < 10 && cluster.others[0]?.api.key !== api.key; i++) {
    tx.turns(1);
    tx.producer.advance(20);
  }
  assert.equal(cluster.others[0]?.api.key, api.key, `${api.name} is under way`);
}

describe('an answer that allows only the abort, and comes when the abort was called', () => {
  const late = [
    ['TV1', AddPartitionsToTxn, codes.TOPIC_AUTHORIZATION],
    ['TV1', AddOffsetsToTxn, codes.GROUP_AUTHORIZATION],
    ['TV1', TxnOffsetCommit, codes.ILLEGAL_GENERATION],
    ['TV2', TxnOffsetCommit, codes.ILLEGAL_GENERATION],
    ['TV1', FindCoordinator, codes.GROUP_AUTHORIZATION],
    ['TV2', FindCoordinator, codes.GROUP_AUTHORIZATION],
  ] as const;
  for (const [protocol, api, code] of late) {
    test(`${protocol}: to ${api.name}: the producer goes on`, () => {
      const tx = new TestTransactions(protocol).opened();
      const { producer } = tx;
      const offsets = { group: { groupId: 'g' }, offsets: [{ topic: 't', partition: 0, offset: '5' }] };
      const ends: (string | null)[] = [];
      if (api.key === AddPartitionsToTxn.key) producer.append('a', { partition: 1 });
      else producer.role.sendOffsets(offsets, (error) => ends.push(error?.name ?? null), producer.cluster.now);
      untilAsked(tx, api);
      tx.refuse(api, code);
      tx.goesOn();
      assert.equal(producer.fatal, null);
      if (api.key !== AddPartitionsToTxn.key) assert.deepEqual(ends, ['TransactionAbortedError']);
    });
  }

  test('to the search for the coordinator of a group: the next transaction has nothing to do with it', () => {
    const tx = new TestTransactions('TV2').opened();
    const { producer } = tx;
    const offsets = { group: { groupId: 'g' }, offsets: [{ topic: 't', partition: 0, offset: '5' }] };
    producer.role.sendOffsets(offsets, () => {}, producer.cluster.now);
    untilAsked(tx, FindCoordinator);
    const [search] = producer.cluster.others.splice(0, 1);
    assert.equal(tx.abort(), 'done');
    tx.begin();
    producer.cluster.others.push(search!);
    tx.refuse(FindCoordinator, codes.GROUP_AUTHORIZATION);
    tx.turns();
    const id = producer.append('a', { partition: 0 });
    tx.turns();
    producer.cluster.answer();
    assert.match(producer.outcome(id), /^at /);
    assert.equal(tx.commit(), 'done');
  });
});

const opening = [
  ['TV1', AddPartitionsToTxn],
  ['TV1', AddOffsetsToTxn],
  ['TV2', TxnOffsetCommit],
] as const;

/** A transaction that may be open at the coordinator: the answer to what opens it there was lost. */
function inDoubt(protocol: Protocol, api: { readonly key: number }, maxBlockMs = 60_000): TestTransactions {
  const tx = new TestTransactions(protocol, { maxBlockMs, deliveryTimeoutMs: 500, requestTimeoutMs: 400 });
  tx.begin();
  tx.lost.add(api.key);
  if (api.key === AddPartitionsToTxn.key) tx.producer.append('a', { partition: 0 });
  else assert.equal(tx.sendOffsets(), 'open');
  tx.turns();
  assert.ok(tx.asked.includes(api.key), 'it was asked');
  return tx;
}

for (const [protocol, api] of opening) {
  describe(`${protocol}: an abort while the answer to ${api.name} is lost`, () => {
    test('ends the transaction at the coordinator, and the producer goes on', () => {
      const tx = inDoubt(protocol, api);
      tx.lost.clear();
      tx.goesOn();
    });

    test('does so after a failure too, before another epoch is asked for', () => {
      const tx = inDoubt(protocol, api);
      // Its topic is never known.
      tx.producer.append('fails', { topic: 'nowhere' });
      tx.producer.advance(60_000);
      assert.equal(tx.commit(), 'TransactionAbortableError');
      tx.lost.clear();
      const before = tx.asked.length;
      tx.goesOn();
      const asked = tx.asked.slice(before);
      if (protocol === 'TV1') assert.ok(asked.indexOf(EndTxn.key) < asked.indexOf(InitProducerId.key), asked.join());
      assert.equal(tx.producer.fatal, null);
    });

    test('ends in time if the coordinator does not answer, which is told later', () => {
      const tx = inDoubt(protocol, api, 1000);
      tx.lost.add(EndTxn.key);
      const { role, cluster } = tx.producer;
      const ends: (string | null)[] = [];
      role.endTransaction(false, (error) => ends.push(error?.name ?? null), cluster.now);
      tx.turns(50);
      assert.deepEqual(ends, ['KafkaTimeoutError']);
      tx.lost.clear();
      assert.equal(tx.abort(), 'done');
      assert.deepEqual(tx.ends, [false]);
    });

    if (protocol === 'TV2') return;
    test('is done if the coordinator never got the request and so refuses to abort', () => {
      const tx = inDoubt(protocol, api);
      tx.lost.clear();
      tx.refuse(EndTxn, codes.INVALID_STATE);
      assert.equal(tx.abort(), 'done');
      assert.equal(tx.asked.filter((key) => key === EndTxn.key).length, 1);
      assert.equal(tx.producer.fatal, null);
      tx.opened();
      assert.equal(tx.commit(), 'done');
      assert.deepEqual(tx.ends, [true]);
    });
  });
}

test('TV1: an abort before anything was sent asks nothing', () => {
  const tx = new TestTransactions('TV1');
  tx.begin();
  tx.producer.cluster.isUp.set(1, false);
  const id = tx.producer.append('a', { partition: 0 });
  tx.turns();
  assert.equal(tx.abort(), 'done');
  assert.equal(tx.producer.outcome(id), 'TransactionAbortedError');
  assert.deepEqual(tx.ends, []);
  assert.ok(!tx.asked.includes(EndTxn.key));
});
