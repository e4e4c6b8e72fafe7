// Transactions of several threads that share a producer: calls that come late mean their own transaction and no other, and a thread that
// leaves does not keep the others from theirs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecordOwner } from '../../../../src/worker/producer/record-owner.ts';
import { protocols, TestTransactions } from './support/test-transactions.ts';

const thread = (): RecordOwner => ({ onBatchSettled: () => {} });

for (const protocol of protocols) {
  test(`${protocol}: a commit that is made again after its transaction has ended tells that end, and leaves the next transaction alone`, () => {
    const tx = new TestTransactions(protocol);
    const [mine, others] = [
      { owner: thread(), id: 1 },
      { owner: thread(), id: 1 },
    ];
    tx.begin(mine);
    tx.producer.append('mine', { partition: 0 });
    tx.turns();
    tx.producer.cluster.answer();
    const next = tx.beginLater(others);
    assert.equal(next(), 'open');
    assert.equal(tx.commit(mine), 'done');
    assert.equal(next(), 'done');
    const id = tx.producer.append('of the other', { partition: 0 });
    tx.turns();
    tx.producer.cluster.answer();
    assert.match(tx.producer.outcome(id), /^at /);

    assert.equal(tx.commit(mine), 'done', 'it was committed');
    assert.equal(tx.abort(mine), 'IllegalStateError');
    assert.equal(tx.sendOffsets(mine), 'IllegalStateError');
    assert.deepEqual(tx.ends, [true], 'the other transaction is open');
    assert.equal(tx.sendOffsets(others), 'done');
    assert.equal(tx.abort(others), 'done');
    assert.equal(tx.abort(others), 'done', 'it was aborted');
    assert.equal(tx.commit(others), 'IllegalStateError');
    assert.deepEqual(tx.ends, [true, false]);
  });

  test(`${protocol}: the transaction of a thread that has left is aborted, and the next one begins`, () => {
    const tx = new TestTransactions(protocol);
    const [gone, other] = [thread(), thread()];
    tx.begin({ owner: gone, id: 1 });
    tx.producer.append('a', { partition: 0 });
    tx.turns();
    tx.producer.cluster.answer();
    const next = tx.beginLater({ owner: other, id: 1 });
    tx.producer.role.threadLeft(gone, () => {}, tx.producer.cluster.now);
    tx.turns();
    assert.deepEqual(tx.ends, [false]);
    assert.equal(next(), 'done');
  });

  test(`${protocol}: the commit of a thread that has left goes on; if it fails, the transaction is aborted, and the next one begins`, () => {
    for (const [code, isCommit] of [
      [0, true],
      [29, false],
    ] as const) {
      const tx = new TestTransactions(protocol).opened();
      assert.equal(tx.abort(), 'done');
      const [gone, other] = [thread(), thread()];
      tx.begin({ owner: gone, id: 1 });
      tx.producer.append('a', { partition: 0 });
      tx.turns();
      assert.equal(tx.commit({ owner: gone, id: 1 }), 'open', 'a batch is under way');
      const next = tx.beginLater({ owner: other, id: 1 });
      const ended: boolean[] = [];
      tx.producer.role.threadLeft(gone, () => void ended.push(true), tx.producer.cluster.now);
      assert.equal(ended.length, 0, 'whoever leaves hears of the commit first');
      tx.producer.cluster.answer(undefined, () => code);
      tx.turns();
      assert.deepEqual(tx.ends, [false, isCommit]);
      assert.equal(next(), 'done');
      assert.equal(ended.length, 1);
    }
  });

  test(`${protocol}: a beginning of a thread that has left begins nothing`, () => {
    const tx = new TestTransactions(protocol);
    const [first, gone, other] = [thread(), thread(), thread()];
    tx.begin({ owner: first, id: 1 });
    const left = tx.beginLater({ owner: gone, id: 1 });
    const next = tx.beginLater({ owner: other, id: 1 });
    const told: boolean[] = [];
    tx.producer.role.threadLeft(gone, () => void told.push(true), tx.producer.cluster.now);
    assert.equal(told.length, 1, 'no transaction of its own is open');
    assert.equal(left(), 'ProducerClosedError');
    assert.equal(next(), 'open');
    assert.equal(tx.commit({ owner: first, id: 1 }), 'done');
    assert.equal(next(), 'done');
  });

  test(`${protocol}: a beginning that waits when the producer is closed fails, and the close ends`, () => {
    const tx = new TestTransactions(protocol).opened();
    const waiting = tx.beginLater({ owner: thread(), id: 1 });
    let isClosed = false;
    tx.producer.role.close(Number.POSITIVE_INFINITY, () => {
      isClosed = true;
    });
    tx.turns();
    assert.equal(waiting(), 'ProducerClosedError');
    assert.ok(isClosed);
    assert.deepEqual(tx.ends, [false]);
  });
}
