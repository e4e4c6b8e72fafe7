// What follows from an error code in the answer to a request of a transaction: what the application sees, and how it goes on. The codes
// themselves: transaction-errors.test.ts.

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
  LOADING: 14,
  NOT_COORDINATOR: 16,
  CONCURRENT: 51,
  NOT_AUTHORIZED: 53,
  FENCED: 90,
  INVALID_STATE: 48,
  ABORTABLE: 120,
  TOPIC_REFUSED: 29,
  GROUP_REFUSED: 30,
  ILLEGAL_GENERATION: 22,
};

/** A request, and how a transaction gets to it. `done`: the outcome of the call when nothing is refused. */
interface Step {
  readonly api: { readonly key: number; readonly name: string };
  readonly protocols: readonly Protocol[];
  readonly take: (tx: TestTransactions) => string;
  /** A code after which the transaction can only be aborted. */
  readonly abortable: number;
}

/** The outcome of a record, which is sent when its partition was added. */
function write(tx: TestTransactions): string {
  const id = tx.producer.append('a', { partition: 1 });
  tx.turns();
  if (tx.producer.cluster.produces.length > 0) tx.producer.cluster.answer();
  const outcome = tx.producer.outcome(id);
  return outcome.startsWith('at ') ? 'done' : outcome;
}

const steps: readonly Step[] = [
  { api: AddPartitionsToTxn, protocols: ['TV1'], take: write, abortable: codes.TOPIC_REFUSED },
  { api: AddOffsetsToTxn, protocols: ['TV1'], take: (tx) => tx.sendOffsets(), abortable: codes.GROUP_REFUSED },
  { api: TxnOffsetCommit, protocols, take: (tx) => tx.sendOffsets(), abortable: codes.ILLEGAL_GENERATION },
  { api: EndTxn, protocols, take: (tx) => tx.commit(), abortable: codes.ABORTABLE },
];

const count = (tx: TestTransactions, { key }: { readonly key: number }): number =>
  tx.asked.filter((asked) => asked === key).length;

for (const { api, protocols: of, take, abortable } of steps) {
  for (const protocol of of) {
    describe(`${protocol}: ${api.name}`, () => {
      test('is sent again after a code that passes', () => {
        const tx = new TestTransactions(protocol).opened();
        const before = count(tx, api);
        tx.refuse(api, codes.LOADING, codes.CONCURRENT);
        assert.equal(take(tx), 'done');
        assert.equal(count(tx, api), before + 3);
      });

      test('is sent again to the coordinator that is looked up anew when it has moved', () => {
        const tx = new TestTransactions(protocol).opened();
        // Known before, so that only the look-up that follows counts.
        if (api.key !== EndTxn.key) assert.equal(tx.sendOffsets(), 'done');
        const before = count(tx, FindCoordinator);
        tx.refuse(api, codes.NOT_COORDINATOR);
        assert.equal(take(tx), 'done');
        assert.equal(count(tx, FindCoordinator), before + 1);
      });

      test('leaves only the abort after a code of the transaction, and the producer goes on', () => {
        const tx = new TestTransactions(protocol).opened();
        tx.refuse(api, abortable);
        assert.notEqual(take(tx), 'done');
        assert.equal(tx.producer.fatal, null);
        assert.equal(tx.commit(), 'TransactionAbortableError');
        tx.goesOn();
      });

      for (const [name, code] of [
        ['another producer has taken over', codes.FENCED],
        ['the transaction is in another state', codes.INVALID_STATE],
        ['the id is not allowed any more', codes.NOT_AUTHORIZED],
      ] as const) {
        test(`ends the producer when ${name}`, () => {
          const tx = new TestTransactions(protocol).opened();
          tx.refuse(api, code);
          assert.notEqual(take(tx), 'done');
          assert.notEqual(tx.producer.fatal, null);
          for (const later of [tx.commit(), tx.abort(), tx.tryBegin()]) assert.notEqual(later, 'done');
          assert.equal(tx.producer.role.usedBytes, 0, 'everything is settled');
        });
      }
    });
  }
}

describe('EndTxn', () => {
  for (const protocol of protocols) {
    test(`${protocol}: TRANSACTION_ABORTABLE in answer to an abort ends the producer`, () => {
      const tx = new TestTransactions(protocol).opened();
      tx.refuse(EndTxn, codes.ABORTABLE);
      assert.notEqual(tx.abort(), 'done');
      assert.notEqual(tx.producer.fatal, null);
    });
  }
});

describe('InitProducerId', () => {
  test('is sent again after a code that passes, and by a coordinator that is looked up anew', () => {
    const tx = new TestTransactions('TV2', {}, (each) => {
      each.refuse(FindCoordinator, codes.LOADING);
      each.refuse(InitProducerId, codes.LOADING, codes.CONCURRENT, codes.NOT_COORDINATOR);
    });
    tx.turns(20);
    assert.equal(tx.tryBegin(), 'done');
    assert.equal(count(tx, InitProducerId), 4);
    assert.equal(count(tx, FindCoordinator), 3);
  });

  for (const [name, code] of [
    ['is not allowed', codes.NOT_AUTHORIZED],
    ['can only be aborted', codes.ABORTABLE],
  ] as const) {
    test(`fails the beginning when the id ${name}, and is asked again by the next one, not before`, () => {
      const tx = new TestTransactions('TV2', {}, (each) => each.refuse(InitProducerId, code));
      tx.turns(20);
      assert.equal(count(tx, InitProducerId), 1);
      assert.equal(tx.producer.fatal, null);
      tx.refuse(InitProducerId, code);
      assert.notEqual(tx.tryBegin(), 'done');
      assert.equal(count(tx, InitProducerId), 2);
      assert.equal(tx.tryBegin(), 'done');
    });
  }

  test('ends the producer after any other code', () => {
    const tx = new TestTransactions('TV2', {}, (each) => each.refuse(InitProducerId, codes.INVALID_STATE));
    tx.turns();
    assert.notEqual(tx.producer.fatal, null);
    assert.notEqual(tx.tryBegin(), 'done');
  });
});

describe('TxnOffsetCommit', () => {
  for (const protocol of protocols) {
    test(`${protocol}: an answer that comes after the abort of the transaction does not end the call a second time`, () => {
      const tx = new TestTransactions(protocol).opened();
      const { role, cluster } = tx.producer;
      const ends: (string | null)[] = [];
      const offsets = { group: { groupId: 'g' }, offsets: [{ topic: 't', partition: 0, offset: '5' }] };
      role.sendOffsets(offsets, (error) => ends.push(error?.name ?? null), cluster.now);
      tx.producer.advance(20);
      for (let i = 0; i < 10 && cluster.others[0]?.api.key !== TxnOffsetCommit.key; i++) {
        tx.turns(1);
        tx.producer.advance(20);
      }
      assert.equal(cluster.others[0]?.api.key, TxnOffsetCommit.key, 'the request is under way');
      assert.equal(tx.abort(), 'done');
      assert.deepEqual(ends, ['TransactionAbortedError']);
      tx.begin();
      assert.equal(tx.sendOffsets(), 'done', 'offsets of the next transaction are its own');
    });
  }
});

describe('AddPartitionsToTxn', () => {
  test('the first one of a transaction is sent again after 20 ms while the end of the last one is still being written', () => {
    const tx = new TestTransactions('TV1', { retryBackoffMs: 1000, retryBackoffMaxMs: 1000 });
    tx.begin();
    const { producer } = tx;
    tx.refuse(AddPartitionsToTxn, codes.CONCURRENT);
    producer.append('a', { partition: 0 });
    tx.turns(1);
    assert.equal(count(tx, AddPartitionsToTxn), 1);
    producer.advance(19);
    assert.equal(producer.cluster.others.length, 0);
    producer.advance(1);
    assert.equal(producer.cluster.others[0]!.api.key, AddPartitionsToTxn.key);
  });
});
