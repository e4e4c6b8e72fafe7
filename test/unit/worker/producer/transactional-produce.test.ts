// The meaning of a Produce answer inside of a transaction, code by code, in both protocols: abort, end, or go on with other numbers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddPartitionsToTxn } from '../../../../src/protocol/flat/generated/apis.ts';
import { protocols, TestTransactions } from './support/test-transactions.ts';

/** Both records get into the log when they are sent again, and the transaction can be committed. */
function areTriedAgain(tx: TestTransactions, ids: readonly (number | null)[]): void {
  const { producer } = tx;
  for (let i = 0; i < 10; i++) {
    producer.advance(20);
    if (producer.cluster.produces.length > 0) producer.cluster.answer();
  }
  assert.deepEqual(
    ids.map((id) => producer.outcome(id)),
    ['at 1', 'at 2'],
  );
  assert.equal(tx.commit(), 'done');
}

for (const protocol of protocols) {
  for (const [code, name] of [
    [47, 'INVALID_PRODUCER_EPOCH'],
    [48, 'INVALID_TXN_STATE'],
    [120, 'TRANSACTION_ABORTABLE'],
    [87, 'INVALID_RECORD'],
    [29, 'TOPIC_AUTHORIZATION_FAILED'],
    [999, 'a code nobody knows'],
  ] as const) {
    test(`${protocol}: ${name} in Produce allows only an abort, and the producer goes on after it`, () => {
      const tx = new TestTransactions(protocol).opened();
      const { producer } = tx;
      const id = producer.append('bad', { partition: 0 });
      producer.poll();
      producer.cluster.answer(undefined, () => code);
      assert.notEqual(producer.outcome(id), 'open');
      assert.equal(producer.fatal, null);
      assert.equal(producer.outcome(producer.append('after')), 'TransactionAbortableError');
      assert.equal(tx.commit(), 'TransactionAbortableError');
      tx.goesOn();
    });
  }

  for (const [code, name] of [
    [90, 'PRODUCER_FENCED'],
    [49, 'INVALID_PRODUCER_ID_MAPPING'],
    [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
    [35, 'UNSUPPORTED_VERSION'],
    [31, 'CLUSTER_AUTHORIZATION_FAILED'],
  ] as const) {
    test(`${protocol}: ${name} in Produce ends the producer, and settles everything`, () => {
      const tx = new TestTransactions(protocol).opened();
      const { producer } = tx;
      const ids = [producer.append('a', { partition: 0 }), producer.append('b', { partition: 1 })];
      producer.poll();
      producer.cluster.answer(undefined, () => code);
      assert.ok(producer.fatal !== null);
      for (const id of ids) assert.notEqual(producer.outcome(id), 'open');
      assert.notEqual(tx.commit(), 'done');
      assert.notEqual(tx.abort(), 'done');
      assert.deepEqual(tx.ends, []);
    });
  }

  test(`${protocol}: a retriable error becomes TRANSACTION_ABORTABLE when the time is over (KIP-1050)`, () => {
    const tx = new TestTransactions(protocol, { deliveryTimeoutMs: 500, requestTimeoutMs: 400 }).opened();
    const { producer } = tx;
    const id = producer.append('slow', { partition: 0 });
    producer.poll();
    for (let i = 0; i < 30; i++) {
      if (producer.cluster.produces.length > 0) producer.cluster.answer(undefined, () => 19);
      producer.advance(20);
    }
    assert.equal(producer.outcome(id), 'TransactionAbortableError');
    tx.goesOn();
  });

  test(`${protocol}: OUT_OF_ORDER_SEQUENCE_NUMBER of a batch that is not the next is tried again`, () => {
    const tx = new TestTransactions(protocol).opened();
    const { producer } = tx;
    const ids = ['a', 'b'].map((value) => producer.append(value, { partition: 0 }));
    producer.poll();
    const [first, second] = [...producer.cluster.produces];
    producer.cluster.answer(first, () => 19);
    producer.cluster.answer(second);
    areTriedAgain(tx, ids);
  });

  test(`${protocol}: OUT_OF_ORDER_SEQUENCE_NUMBER of the next batch fails it, and allows only an abort`, () => {
    const tx = new TestTransactions(protocol).opened();
    const { producer } = tx;
    const id = producer.append('a', { partition: 0 });
    producer.poll();
    producer.cluster.answer(undefined, () => 45);
    assert.equal(producer.outcome(id), 'OutOfOrderSequenceNumberError');
    assert.equal(tx.commit(), 'TransactionAbortableError');
    tx.goesOn();
  });

  for (const [name, extra, isRetried] of [
    ['without a log start is tried again as it is', { logStartOffset: -1 }, true],
    ['after retention removed what was acknowledged starts again at 0', { logStartOffset: 100 }, true],
    ['with the records still there leaves only the abort', { logStartOffset: 0 }, false],
  ] as const) {
    test(`${protocol}: UNKNOWN_PRODUCER_ID ${name}`, () => {
      const tx = new TestTransactions(protocol).opened();
      const { producer } = tx;
      const id = producer.append('a', { partition: 0 });
      producer.poll();
      producer.cluster.answer(undefined, () => 59, extra);
      if (!isRetried) {
        assert.equal(tx.commit(), 'TransactionAbortableError');
        tx.goesOn();
        return;
      }
      assert.equal(producer.outcome(id), 'open');
      const forgotten = extra.logStartOffset > 0;
      // A leader that has forgotten the producer takes whatever comes first.
      if (forgotten) producer.cluster.partition('t').producers.clear();
      producer.advance(20);
      assert.equal(producer.cluster.produces[0]!.batches[0]!.sequence, forgotten ? 0 : 1);
      assert.equal(producer.cluster.produces[0]!.batches[0]!.epoch, 0, 'the epoch stays');
      producer.cluster.answer();
      assert.equal(producer.outcome(id), 'at 1');
      assert.equal(tx.commit(), 'done');
    });
  }

  test(`${protocol}: UNKNOWN_PRODUCER_ID for a batch that got a new number after it was sent is tried again`, () => {
    const tx = new TestTransactions(protocol).opened();
    const { producer } = tx;
    const ids = ['a', 'b'].map((value) => producer.append(value, { partition: 0 }));
    producer.poll();
    const [first, second] = [...producer.cluster.produces];
    producer.cluster.answer(first, () => 59, { logStartOffset: 100 });
    producer.cluster.answer(second, () => 59, { logStartOffset: 0 });
    producer.cluster.partition('t').producers.clear();
    areTriedAgain(tx, ids);
  });

  test(`${protocol}: a batch that fails for good lowers the sequences of the batches behind it, and they are answered too`, () => {
    const tx = new TestTransactions(protocol).opened();
    const { producer } = tx;
    const ids = ['bad', 'b', 'c'].map((value) => producer.append(value, { partition: 0 }));
    producer.poll();
    const sent = [...producer.cluster.produces];
    producer.cluster.answer(sent[0], () => 87);
    producer.cluster.answer(sent[1], () => 45);
    producer.cluster.answer(sent[2], () => 45);
    producer.advance(20);
    assert.equal(producer.cluster.produces[0]!.batches[0]!.sequence, 1);
    for (let i = 0; i < 10; i++) {
      if (producer.cluster.produces.length > 0) producer.cluster.answer();
      producer.advance(20);
    }
    assert.deepEqual(
      ids.map((id) => producer.outcome(id)),
      ['InvalidRecordError', 'at 1', 'at 2'],
    );
    tx.goesOn();
  });

  test(`${protocol}: a sent batch that expires without an answer allows only an abort`, () => {
    const tx = new TestTransactions(protocol, { deliveryTimeoutMs: 500, requestTimeoutMs: 400 }).opened();
    const { producer } = tx;
    const id = producer.append('lost', { partition: 0 });
    producer.poll();
    producer.advance(500);
    const error = producer.error(id) as Error & { maybeWritten?: boolean };
    assert.equal(error.name, 'TransactionAbortableError');
    assert.equal(error.maybeWritten, true);
    producer.cluster.lose();
    assert.equal(tx.commit(), 'TransactionAbortableError');
    tx.goesOn();
  });

  test(`${protocol}: ending a transaction without records sends nothing to the coordinator`, () => {
    const tx = new TestTransactions(protocol);
    tx.begin();
    assert.equal(tx.commit(), 'done');
    tx.begin();
    assert.equal(tx.abort(), 'done');
    assert.deepEqual(tx.ends, []);
  });

  test(`${protocol}: the commit waits until every batch is answered`, () => {
    const tx = new TestTransactions(protocol).opened();
    const { producer } = tx;
    const id = producer.append('slow', { partition: 0 });
    producer.poll();
    assert.equal(tx.commit(), 'open');
    assert.deepEqual(tx.ends, []);
    producer.cluster.answer();
    tx.turns();
    assert.deepEqual(tx.ends, [true]);
    assert.equal(producer.outcome(id), 'at 1');
  });

  test(`${protocol}: the abort drops batches that were not sent, and waits for those in flight`, () => {
    const tx = new TestTransactions(protocol).opened();
    const { producer } = tx;
    const sent = producer.append('sent', { partition: 0 });
    producer.poll();
    producer.cluster.isUp.set(1, false);
    const kept = producer.append('kept', { partition: 0 });
    assert.equal(tx.abort(), 'open');
    assert.equal(producer.outcome(kept), 'TransactionAbortedError');
    assert.deepEqual(tx.ends, []);
    producer.cluster.isUp.set(1, true);
    producer.cluster.answer();
    tx.turns();
    assert.equal(producer.outcome(sent), 'at 1');
    assert.deepEqual(tx.ends, [false]);
  });
}

test('TV1: a partition is added before its first batch is sent, once for each transaction', () => {
  const tx = new TestTransactions('TV1');
  tx.begin();
  const { producer } = tx;
  producer.append('a', { partition: 0 });
  producer.poll();
  producer.poll();
  assert.equal(producer.cluster.produces.length, 0);
  assert.equal(producer.cluster.others[0]!.api.key, AddPartitionsToTxn.key);
  tx.turns(2);
  assert.ok(producer.cluster.produces[0]!.version <= 11);
  producer.cluster.answer();
  producer.append('b', { partition: 0 });
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1, 'at once');
});

test('TV2: sequences start again at 0 in each transaction, under the epoch that EndTxn gave', () => {
  const tx = new TestTransactions('TV2').opened();
  assert.equal(tx.commit(), 'done');
  tx.begin();
  const { producer } = tx;
  producer.append('a', { partition: 0 });
  producer.poll();
  const [batch] = producer.cluster.produces[0]!.batches;
  assert.deepEqual([batch!.epoch, batch!.sequence], [1, 0]);
  assert.ok(producer.cluster.produces[0]!.version >= 12);
});

test('after an upgrade of the cluster between two transactions, InitProducerId raises the epoch, and then the new protocol is used', () => {
  const tx = new TestTransactions('TV1').opened();
  const { producer } = tx;
  producer.cluster.features.set('transaction.version', 2);
  producer.append('b', { partition: 0 });
  producer.poll();
  assert.ok(producer.cluster.produces[0]!.version <= 11, 'the open transaction keeps its rules');
  producer.cluster.answer();
  assert.equal(tx.commit(), 'done');
  assert.equal(tx.epoch, 1);
  tx.begin();
  producer.append('c', { partition: 0 });
  producer.poll();
  assert.ok(producer.cluster.produces[0]!.version >= 12);
  assert.equal(producer.cluster.produces[0]!.batches[0]!.epoch, 1);
});

test('TV1: an answer to AddPartitionsToTxn without the partition leaves only the abort: nothing is written outside of the transaction', () => {
  const tx = new TestTransactions('TV1');
  const { producer } = tx;
  tx.begin();
  tx.leavesOut = true;
  const id = producer.append('first', { partition: 0 });
  tx.turns();
  assert.notEqual(producer.outcome(id), 'open');
  assert.equal(producer.cluster.produces.length, 0);
  assert.equal(producer.fatal, null);
  assert.equal(tx.commit(), 'TransactionAbortableError');
  tx.leavesOut = false;
  assert.equal(tx.abort(), 'done');
  assert.deepEqual(tx.ends, [false], 'the coordinator may have added it');
  tx.opened();
  assert.equal(tx.commit(), 'done');
  assert.deepEqual(tx.ends, [false, true]);
});
