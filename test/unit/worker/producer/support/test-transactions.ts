// Owns a transactional producer's role over a fake cluster, whose coordinator answers whatever it is asked. In both protocols.

import assert from 'node:assert/strict';
import type { ProducerConfigInput } from '../../../../../src/common/config/producer-config.ts';
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  FindCoordinator,
  InitProducerId,
  TxnOffsetCommit,
} from '../../../../../src/protocol/flat/generated/apis.ts';
import type { TransactionName } from '../../../../../src/worker/producer/transaction-names.ts';
import { FakeCluster } from './fake-cluster.ts';
import { TestProducer } from './test-producer.ts';

const settings = { lingerMs: 0, batchSizeBytes: 0, retryBackoffMs: 10, retryBackoffMaxMs: 10 } as const;
const noProducer = { producerId: -1, producerEpoch: -1 };
export const protocols = ['TV1', 'TV2'] as const;

export type Protocol = (typeof protocols)[number];

export class TestTransactions {
  readonly producer: TestProducer;
  readonly isNew: boolean;
  /** Whether answers to AddPartitionsToTxn have no partitions. */
  leavesOut = false;
  /** Of the coordinator. */
  epoch = -1;
  /** Whether each EndTxn that came was a commit. */
  readonly ends: boolean[] = [];
  /** The keys of the APIs that the coordinators were asked, oldest first. */
  readonly asked: number[] = [];
  /** The keys of the APIs whose answers are lost with their connections. */
  readonly lost = new Set<number>();
  readonly #refusals = new Map<number, number[]>();

  /** @param prepare is called before anything is asked */
  constructor(
    protocol: Protocol,
    options: ProducerConfigInput = {},
    prepare: (tx: TestTransactions) => void = () => {},
  ) {
    this.isNew = protocol === 'TV2';
    const cluster = new FakeCluster();
    cluster.addTopic('t', 2);
    if (this.isNew) cluster.features.set('transaction.version', 2);
    this.producer = new TestProducer({ ...settings, transactionalId: 'x', ...options }, cluster);
    prepare(this);
    this.turns();
  }

  /** The next requests of that API are answered with these codes, one each. */
  refuse(api: { readonly key: number }, ...errorCodes: number[]): void {
    this.#refusals.set(api.key, errorCodes);
  }

  /** Lets the coordinators answer whatever they are asked. */
  turns(count = 6): void {
    for (let i = 0; i < count; i++) {
      this.producer.advance(20);
      this.#answerOldest();
    }
  }

  #answerOldest(): void {
    const { cluster } = this.producer;
    const [other] = cluster.others;
    if (other === undefined) return;
    const { key } = other.api;
    this.asked.push(key);
    if (this.lost.has(key)) {
      cluster.loseOther(other.api);
      return;
    }
    const errorCode = this.#refusals.get(key)?.shift() ?? 0;
    if (key === FindCoordinator.key) {
      cluster.answerOther(FindCoordinator, { errorCode, nodeId: errorCode === 0 ? 1 : -1 }, 3);
    } else if (key === InitProducerId.key) {
      if (errorCode === 0) this.epoch++;
      cluster.answerOther(InitProducerId, { errorCode, producerId: 7, producerEpoch: this.epoch });
    } else if (key === AddPartitionsToTxn.key) {
      const { v3AndBelowTopics } = other.request as { v3AndBelowTopics: { name: string; partitions: number[] }[] };
      const asked = this.leavesOut ? [] : v3AndBelowTopics;
      const resultsByTopicV3AndBelow = asked.map(({ name, partitions }) => ({
        name,
        resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: errorCode })),
      }));
      cluster.answerOther(AddPartitionsToTxn, { resultsByTopicV3AndBelow }, 3);
    } else if (key === AddOffsetsToTxn.key) {
      cluster.answerOther(AddOffsetsToTxn, { errorCode });
    } else if (key === TxnOffsetCommit.key) {
      const { topics } = other.request as { topics: { name: string; partitions: { partitionIndex: number }[] }[] };
      const answered = topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      }));
      cluster.answerOther(TxnOffsetCommit, { topics: answered }, 5);
    } else {
      this.#answerEnd(errorCode);
    }
  }

  #answerEnd(errorCode: number): void {
    const { cluster } = this.producer;
    const isDone = errorCode === 0;
    if (this.isNew && isDone) this.epoch++;
    const taken = this.isNew && isDone ? { producerId: 7, producerEpoch: this.epoch } : noProducer;
    const { committed } = cluster.answerOther(EndTxn, { errorCode, ...taken });
    if (isDone) this.ends.push(committed ?? false);
  }

  begin(name?: TransactionName): void {
    assert.equal(this.tryBegin(name), 'done');
  }

  tryBegin(name?: TransactionName): string {
    return this.#done((onDone, now) => this.producer.role.beginTransaction(onDone, now, name));
  }

  /** A beginning that may have to wait. Returns what became of it. */
  beginLater(name: TransactionName): () => string {
    let outcome = 'open';
    this.producer.role.beginTransaction(
      (error) => {
        assert.equal(outcome, 'open', 'a call ends once');
        outcome = error === null ? 'done' : error.name;
      },
      this.producer.cluster.now,
      name,
    );
    this.turns();
    return () => outcome;
  }

  /** Begins, and has a record of partition 0 acknowledged. */
  opened(): this {
    this.begin();
    this.producer.append('first', { partition: 0 });
    this.turns();
    this.producer.cluster.answer();
    return this;
  }

  commit(name?: TransactionName): string {
    return this.#done((onDone, now) => this.producer.role.endTransaction(true, onDone, now, name));
  }

  sendOffsets(name?: TransactionName): string {
    const offsets = { group: { groupId: 'g' }, offsets: [{ topic: 't', partition: 0, offset: '5' }] };
    return this.#done((onDone, now) => this.producer.role.sendOffsets(offsets, onDone, now, name));
  }

  abort(name?: TransactionName): string {
    return this.#done((onDone, now) => this.producer.role.endTransaction(false, onDone, now, name));
  }

  /** After an abort a transaction works as if nothing had happened. */
  goesOn(): void {
    assert.equal(this.abort(), 'done');
    assert.equal(this.ends.at(-1), false, 'the coordinator was told to abort');
    this.begin();
    const id = this.producer.append('later', { partition: 0 });
    this.turns();
    this.producer.cluster.answer();
    assert.match(this.producer.outcome(id), /^at \d+$/);
    assert.equal(this.commit(), 'done');
    assert.equal(this.ends.at(-1), true);
  }

  #done(ask: (onDone: (error: Error | null) => void, now: number) => void): string {
    let outcome = 'open';
    ask((error) => {
      assert.equal(outcome, 'open', 'a call ends once');
      outcome = error === null ? 'done' : error.name;
    }, this.producer.cluster.now);
    this.turns();
    return outcome;
  }
}
