// Owns a load on a real cluster that goes on through every fault: an application that computes nine tenths of the time and
// produces to, and fetches from, whoever metadata says leads. It keeps account of every request. Runs in the test's thread.

import assert from 'node:assert/strict';
import {
  BrokerError,
  errorFor,
  Fetch,
  type Future,
  type KafkaClient,
  KafkaClientError,
  Produce,
} from '../../src/index.ts';
import { zeroUuid } from '../../src/protocol/flat/uuid.ts';
import { waitFor } from '../helpers/wait-for.ts';

/** Of each round: computing, and then at most this long for everything else. */
const busyMs = 18;
const idleMs = 2;

export interface Account {
  readonly accepted: number;
  readonly settled: number;
  /** Requests that a leader carried out. */
  readonly succeeded: number;
  /** By name: of failed Futures, and of Kafka's codes in responses. */
  readonly errors: ReadonlyMap<string, number>;
}

export class Load {
  readonly #client: KafkaClient;
  readonly #topic: string;
  #partitions: readonly number[] = [];
  readonly #value = Buffer.alloc(1000, 'load');
  readonly #errors = new Map<string, number>();
  readonly #fatal: Error[] = [];
  /** By partition: when a produce last succeeded, and how often requests did. */
  readonly #producedAt = new Map<number, number>();
  /** Partitions with a produce under way. */
  readonly #pending = new Set<number>();
  #accepted = 0;
  #settled = 0;
  #succeeded = 0;
  #wantsMetadata = false;
  #isStopped = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(client: KafkaClient, topic: string, partitionCount: number) {
    this.#client = client;
    this.#topic = topic;
    this.partitionCount = partitionCount;
  }

  /** Works on so many partitions from now on. */
  set partitionCount(count: number) {
    this.#partitions = Array.from({ length: count }, (_, i) => i);
  }

  get account(): Account {
    return { accepted: this.#accepted, settled: this.#settled, succeeded: this.#succeeded, errors: this.#errors };
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Waits until every partition has taken a record that was sent after this call. */
  async worksAgain(timeoutMs = 180_000): Promise<void> {
    const since = performance.now();
    const isDone = (): boolean => this.#partitions.every((partition) => (this.#producedAt.get(partition) ?? 0) > since);
    try {
      await waitFor('records in every partition', () => this.#fatal.length > 0 || isDone(), timeoutMs);
    } catch (error) {
      throw new Error(`${String(error)}; ${this.#describe()}`, { cause: error });
    }
    for (const error of this.#fatal) throw error;
  }

  /** Ends the load; fails unless every accepted request was settled, once. */
  async stop(): Promise<Account> {
    this.#isStopped = true;
    await this.#ended;
    for (const error of this.#fatal) throw error;
    await waitFor('every request to be settled', () => this.#settled >= this.#accepted, 180_000);
    await this.#client.poll(0);
    assert.equal(this.#settled, this.#accepted);
    assert.equal(this.#client.inFlightRequestCount(), 0);
    return this.account;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped) {
        for (const partition of this.#partitions) this.#send(partition);
        if (this.#wantsMetadata) this.#refresh();
        const until = performance.now() + busyMs;
        let work = 0;
        while (performance.now() < until) work += Math.sqrt(work + 1);
        await this.#client.poll(idleMs);
      }
    } catch (error) {
      this.#fatal.push(error as Error);
    }
  }

  #send(partition: number): void {
    const { cluster } = this.#client;
    const leader = cluster.leaderForPartition({ topic: this.#topic, partition });
    if (leader === null || leader < 0) {
      this.#wantsMetadata = true;
      return;
    }
    if (this.#pending.has(partition) || !this.#client.ready(leader)) return;
    const topicId = cluster.topicId(this.#topic) ?? zeroUuid;
    const sentAt = performance.now();
    const records = [{ value: this.#value }];
    const topicData = [{ name: this.#topic, topicId, partitionData: [{ index: partition, records }] }];
    const produced = this.#client.send(leader, Produce, { acks: -1, timeoutMs: 2000, topicData });
    this.#pending.add(partition);
    produced.addBoth(() => this.#pending.delete(partition));
    this.#count(produced, (response) => {
      const { errorCode } = response.responses.at(0).partitionResponses.at(0);
      if (errorCode === 0) this.#producedAt.set(partition, sentAt);
      return errorCode;
    });
    const partitions = [{ partition, fetchOffset: 0, partitionMaxBytes: 20_000 }];
    const topics = [{ topic: this.#topic, topicId, partitions }];
    const fetched = this.#client.send(leader, Fetch, { maxWaitMs: 100, minBytes: 1, maxBytes: 20_000, topics });
    this.#count(fetched, (response) => response.errorCode || response.responses.at(0).partitions.at(0).errorCode);
  }

  #count<Response>(future: Future<Response>, errorCodeOf: (response: Response) => number): void {
    // Refused at the call: it never was a request.
    if (future.isDone) return;
    this.#accepted++;
    future.addCallback((response) => {
      this.#settled++;
      this.#judge(errorFor(errorCodeOf(response)));
    });
    future.addErrback((error) => {
      this.#settled++;
      this.#judge(error);
    });
  }

  /** Every error of a cluster that moves asks to be tried again. */
  #judge(error: Error | null): void {
    if (error === null) {
      this.#succeeded++;
      return;
    }
    this.#errors.set(error.name, (this.#errors.get(error.name) ?? 0) + 1);
    this.#wantsMetadata = true;
    const isRetriable = (error instanceof BrokerError || error instanceof KafkaClientError) && error.retriable;
    if (!isRetriable) this.#fatal.push(error);
  }

  /** Where it stands, for the message of a failure. */
  #describe(): string {
    const client = this.#client;
    const partitions = this.#partitions.map((partition) => {
      const leader = client.cluster.leaderForPartition({ topic: this.#topic, partition });
      const node =
        leader === null || leader < 0
          ? ''
          : ` ready ${client.isReady(leader)}, ${client.inFlightRequestCount(leader)} in flight`;
      const producedAt = Math.round(performance.now() - (this.#producedAt.get(partition) ?? 0));
      return `partition ${partition}: leader ${leader}${node}, last record ${producedAt} ms ago`;
    });
    return [...partitions, `update ${client.cluster.updateId}`, JSON.stringify([...this.#errors])].join('; ');
  }

  #refresh(): void {
    this.#wantsMetadata = false;
    // It fails while nobody can be asked, and is asked for again with the next request that fails.
    this.#client.refreshMetadata().addErrback((error) => this.#errors.set(`metadata: ${error.name}`, 1));
  }
}
