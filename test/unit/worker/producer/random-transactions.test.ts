// A transactional producer of the old protocol under random events: answers that are late or lost, after the broker has done what it was asked
// or not; codes that pass; a coordinator that moves. What a commit or abort says is true of every record, the coordinator keeps no
// transaction open behind an abort or a close, and the producer is never fenced by itself. The message of a failing run has its seed;
// SEED=n repeats it.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import {
  AddPartitionsToTxn,
  EndTxn,
  FindCoordinator,
  InitProducerId,
} from '../../../../src/protocol/flat/generated/apis.ts';
import { Random } from '../../ring/support/random.ts';
import { FakeCluster, type SentBatch } from './support/fake-cluster.ts';
import { TestProducer } from './support/test-producer.ts';

const runs = Number(process.env.RUNS ?? 100);
const partitions = [0, 1];
const codes = { loading: 14, notCoordinator: 16, oldEpoch: 47, wrongState: 48, concurrent: 51, fenced: 90 };

interface Asked {
  readonly producerEpoch?: number;
  readonly v3AndBelowProducerEpoch?: number;
  readonly v3AndBelowTopics: readonly { readonly name: string; readonly partitions: readonly number[] }[];
  readonly committed?: boolean;
}

type Fate = 'open' | 'committed' | 'aborted';

/** What Kafka's coordinator and the leaders of partitions know of one transactional id. */
class Coordinator {
  state: 'Empty' | 'Ongoing' | 'CompleteCommit' | 'CompleteAbort' = 'Empty';
  epoch = -1;
  /** By value. */
  readonly fates = new Map<string, Fate>();
  #formerEpoch = -2;
  readonly #added = new Set<number>();

  /** Why a batch of a partition is not written; 0 if it is. */
  refusal(partition: number, { epoch }: SentBatch): number {
    if (epoch < this.epoch) return codes.oldEpoch;
    return this.state === 'Ongoing' && this.#added.has(partition) ? 0 : codes.wrongState;
  }

  written({ values }: SentBatch): void {
    for (const value of values) if (!this.fates.has(value)) this.fates.set(value, 'open');
  }

  init({ producerEpoch = -1 }: Asked): number {
    // The request that raised the epoch is here again.
    if (producerEpoch >= 0 && producerEpoch === this.#formerEpoch) return 0;
    if (producerEpoch >= 0 && producerEpoch !== this.epoch) return codes.fenced;
    if (this.state === 'Ongoing') this.#complete('aborted');
    this.#formerEpoch = producerEpoch >= 0 ? producerEpoch : -2;
    this.epoch++;
    this.state = 'Empty';
    return 0;
  }

  addPartitions({ v3AndBelowProducerEpoch, v3AndBelowTopics }: Asked): number {
    if (v3AndBelowProducerEpoch !== this.epoch) return codes.oldEpoch;
    this.state = 'Ongoing';
    for (const { partitions: added } of v3AndBelowTopics) for (const partition of added) this.#added.add(partition);
    return 0;
  }

  end({ producerEpoch, committed = false }: Asked): number {
    if (producerEpoch !== this.epoch) return codes.oldEpoch;
    if (this.state === 'Ongoing') this.#complete(committed ? 'committed' : 'aborted');
    return this.state === (committed ? 'CompleteCommit' : 'CompleteAbort') ? 0 : codes.wrongState;
  }

  #complete(fate: 'committed' | 'aborted'): void {
    for (const [value, now] of this.fates) if (now === 'open') this.fates.set(value, fate);
    this.state = fate === 'committed' ? 'CompleteCommit' : 'CompleteAbort';
    this.#added.clear();
  }
}

interface Transaction {
  /** The ids of its records, by value. */
  readonly records: Map<string, number>;
  isOpen: boolean;
  mustAbort: boolean;
  /** Its commit or abort. Null: it was not called. */
  end: { readonly isCommit: boolean; outcome: Error | null | undefined } | null;
}

class Run {
  readonly #random: Random;
  readonly #cluster = new FakeCluster();
  readonly #coordinator = new Coordinator();
  readonly #producer: TestProducer;
  #transaction: Transaction | null = null;
  #records = 0;
  commits = 0;
  aborts = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#cluster.addTopic('t', partitions.length);
    for (const index of partitions) {
      const log = this.#cluster.partition('t', index);
      const append = log.append.bind(log);
      log.append = (batch) => {
        const errorCode = this.#coordinator.refusal(index, batch);
        if (errorCode !== 0) return { errorCode, offset: -1 };
        this.#coordinator.written(batch);
        return append(batch);
      };
    }
    const waits = { lingerMs: 0, retryBackoffMs: 10, retryBackoffMaxMs: 20, maxBlockMs: 60_000 };
    this.#producer = new TestProducer({ ...waits, batchSizeBytes: 0, transactionalId: 'x' }, this.#cluster);
  }

  step(): void {
    const producer = this.#producer;
    this.#judge();
    const kind = this.#random.below(12);
    const transaction = this.#transaction;
    if (kind < 4) this.#answer(true);
    else if (kind < 6) this.#answerProduce(true);
    else if (kind < 8) this.#append();
    else if (kind < 9 && transaction === null) this.#begin();
    else if (kind < 10 && transaction?.isOpen === true && transaction.end === null) this.#end(transaction);
    else producer.advance(this.#random.below(40));
    producer.poll();
    assert.equal(producer.fatal, null);
  }

  close(): void {
    const producer = this.#producer;
    let isClosed = false;
    producer.role.close(this.#cluster.now + 60_000, () => {
      isClosed = true;
    });
    for (let i = 0; i < 300 && !isClosed; i++) {
      producer.advance(20);
      if (!this.#answer(false)) this.#answerProduce(false);
    }
    assert.ok(isClosed);
    assert.equal(producer.fatal, null);
    assert.notEqual(this.#coordinator.state, 'Ongoing', 'after the close');
  }

  #begin(): void {
    const transaction: Transaction = { records: new Map(), isOpen: false, mustAbort: false, end: null };
    this.#transaction = transaction;
    this.#producer.role.beginTransaction((error) => {
      assert.equal(error, null);
      transaction.isOpen = true;
    }, this.#cluster.now);
  }

  #append(): void {
    const transaction = this.#transaction;
    if (transaction === null || !transaction.isOpen || transaction.mustAbort || transaction.end !== null) return;
    const value = `v${++this.#records}`;
    transaction.records.set(value, this.#producer.append(value, { partition: this.#random.below(partitions.length) })!);
  }

  #end(transaction: Transaction): void {
    const isCommit = !transaction.mustAbort && this.#random.isOneIn(2);
    const end: Transaction['end'] = { isCommit, outcome: undefined };
    transaction.end = end;
    const onDone = (error: Error | null): void => {
      assert.equal(end.outcome, undefined, 'a call ends once');
      end.outcome = error;
    };
    this.#producer.role.endTransaction(isCommit, onDone, this.#cluster.now);
  }

  /** Compares what the end of the transaction says with what the brokers have. */
  #judge(): void {
    const transaction = this.#transaction;
    const end = transaction?.end;
    if (transaction === null || end?.outcome === undefined || end === undefined) return;
    if (end.outcome !== null) {
      assert.ok(end.isCommit, `the abort failed: ${end.outcome}`);
      transaction.end = null;
      transaction.mustAbort = true;
      return;
    }
    this.#transaction = null;
    for (const [value, id] of transaction.records) {
      const [fate, outcome] = [this.#coordinator.fates.get(value), this.#producer.outcome(id)];
      if (end.isCommit) assert.ok(fate === 'committed' && outcome.startsWith('at '), `${value}: ${fate}, ${outcome}`);
      else assert.ok(fate !== 'open' && fate !== 'committed' && outcome !== 'open', `${value}: ${fate}, ${outcome}`);
    }
    if (end.isCommit) this.commits++;
    else this.aborts++;
    assert.notEqual(this.#coordinator.state, 'Ongoing', 'after the end of the transaction');
  }

  /** Answers the oldest request to a coordinator. @param isRough whether it may be lost or refused. @returns whether there was one */
  #answer(isRough: boolean): boolean {
    const [oldest] = this.#cluster.others;
    if (oldest === undefined) return false;
    const { api } = oldest;
    const request = oldest.request as Asked;
    const way = isRough ? this.#random.below(10) : 9;
    if (api.key === FindCoordinator.key) {
      this.#cluster.answerOther(FindCoordinator, { errorCode: 0, nodeId: 1 }, 3);
    } else if (way === 0) {
      this.#cluster.loseOther(api);
    } else if (way === 1) {
      this.#handle(api.key, request);
      this.#cluster.loseOther(api);
    } else {
      const passing = [codes.loading, codes.notCoordinator, codes.concurrent];
      const isRefused = way === 2 && api.key !== InitProducerId.key;
      const errorCode = isRefused ? passing[this.#random.below(3)]! : this.#handle(api.key, request);
      this.#reply(api.key, request, errorCode);
    }
    return true;
  }

  #handle(apiKey: number, request: Asked): number {
    if (apiKey === InitProducerId.key) return this.#coordinator.init(request);
    return apiKey === EndTxn.key ? this.#coordinator.end(request) : this.#coordinator.addPartitions(request);
  }

  #reply(apiKey: number, { v3AndBelowTopics }: Asked, errorCode: number): void {
    const cluster = this.#cluster;
    const producer = { producerId: 7, producerEpoch: this.#coordinator.epoch };
    if (apiKey === InitProducerId.key) cluster.answerOther(InitProducerId, { errorCode, ...producer });
    else if (apiKey === EndTxn.key) cluster.answerOther(EndTxn, { errorCode, producerId: -1, producerEpoch: -1 });
    else {
      const resultsByTopicV3AndBelow = v3AndBelowTopics.map(({ name, partitions: added }) => ({
        name,
        resultsByPartition: added.map((partitionIndex) => ({ partitionIndex, partitionErrorCode: errorCode })),
      }));
      cluster.answerOther(AddPartitionsToTxn, { resultsByTopicV3AndBelow }, 3);
    }
  }

  #answerProduce(isRough: boolean): void {
    if (this.#cluster.produces.length === 0) return;
    const way = isRough ? this.#random.below(8) : 7;
    if (way < 2) this.#cluster.lose(undefined, way === 1);
    else this.#cluster.answer();
  }
}

before(prepareCodecs);

test('what the end of a transaction says is true of each of its records, whichever answers are lost', () => {
  const given = process.env.SEED;
  const seeds = given === undefined ? Array.from({ length: runs }, (_, i) => i + 1) : [Number(given)];
  let commits = 0;
  let aborts = 0;
  for (const seed of seeds) {
    const run = new Run(seed);
    try {
      for (let i = 0; i < 120; i++) run.step();
      run.close();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    commits += run.commits;
    aborts += run.aborts;
  }
  assert.ok(commits >= seeds.length / 2 && aborts >= seeds.length / 2, `${commits} commits, ${aborts} aborts`);
});
