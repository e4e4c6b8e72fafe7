// Owns short functions for raw requests to a broker, real or embedded, for the facts that must be the same for both.
// Runs in the test's thread.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Api } from '../../../src/protocol/flat/api.ts';
import {
  CreateTopics,
  Fetch,
  FindCoordinator,
  InitProducerId,
  ListOffsets,
  Metadata,
  OffsetFetch,
  Produce,
} from '../../../src/protocol/flat/generated/apis.ts';
import type { RecordsInput } from '../../../src/protocol/flat/records/record-writer.ts';
import { buildBatch } from '../embedded-broker.ts';
import { RawClient } from '../raw-client.ts';
import { waitFor } from '../wait-for.ts';

/** One request and the answer of real brokers. */
export interface BrokerFact {
  readonly ask: (ask: Asker) => Promise<unknown>;
  readonly expected: unknown;
  /** The first version of Kafka that can be asked. */
  readonly since?: string;
}

export type BrokerFacts = Readonly<Record<string, BrokerFact>>;

export interface Producer {
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface ProduceOptions {
  readonly version?: number;
  readonly acks?: number;
  readonly timeoutMs?: number;
  readonly transactionalId?: string | null;
}

export interface FetchFactOptions {
  readonly version?: number;
  readonly offset?: number;
  readonly maxWaitMs?: number;
  readonly isolationLevel?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
  readonly lastFetchedEpoch?: number;
  readonly rackId?: string;
  readonly partitionMaxBytes?: number;
}

/** Codes that mean "ask again": the topic is new, or ids or logs are not loaded yet. */
const notYet = new Set([6, 14, 15]);

export class Asker {
  readonly client: RawClient;

  constructor(client: RawClient) {
    this.client = client;
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<Asker> {
    return new Asker(await RawClient.connect(port, host));
  }

  close(): void {
    this.client.close();
  }

  send<Request, Response>(api: Api<Request, Response>, version: number, request: Request): Promise<Response> {
    return this.client.send(api, version, request);
  }

  /** A topic that accepts records. */
  async topic(configs: Readonly<Record<string, string>> = {}, partitions = 1): Promise<string> {
    const name = `fact-${randomUUID()}`;
    const configList = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
    const topics = [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: configList }];
    const created = await this.send(CreateTopics, 7, { topics, timeoutMs: 10_000 });
    assert.equal(created.topics.at(0).errorCode, 0, created.topics.at(0).errorMessage ?? '');
    await waitFor(`${name} to be led`, async () => {
      const wanted = Array.from({ length: partitions }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1 }));
      const asked = { replicaId: -1, topics: [{ name, partitions: wanted }], timeoutMs: 5000 };
      const listed = await this.send(ListOffsets, 7, asked);
      return listed.topics
        .at(0)
        .partitions.toArray()
        .every(({ errorCode }) => errorCode === 0);
    });
    return name;
  }

  async topicId(name: string): Promise<string> {
    return (await this.send(Metadata, 12, { topics: [{ name }] })).topics.at(0).topicId;
  }

  /** A new producer id, or the next epoch of a transactional id. Waits while the broker is not ready. */
  async producer(transactionalId: string | null = null): Promise<Producer> {
    if (transactionalId !== null) await this.transactionCoordinator(transactionalId);
    let producer: Producer | null = null;
    await waitFor('a producer id', async () => {
      const request = { transactionalId, transactionTimeoutMs: 60_000 };
      const { errorCode, producerId, producerEpoch } = await this.send(InitProducerId, 4, request);
      if (errorCode === 0) producer = { producerId: producerId.toNumber(), producerEpoch };
      else assert.ok(notYet.has(errorCode) || errorCode === 51, `InitProducerId answers ${errorCode}`);
      return producer !== null;
    });
    return producer!;
  }

  /** Waits until the broker knows the coordinator of the transactional id. */
  async transactionCoordinator(transactionalId: string): Promise<void> {
    await this.#coordinator(1, transactionalId);
  }

  /** Waits until the broker knows the coordinator of the group, and the coordinator has loaded the group. */
  async groupCoordinator(groupId: string): Promise<void> {
    await this.#coordinator(0, groupId);
    await waitFor(`the log of ${groupId}`, async () => {
      const found = await this.send(OffsetFetch, 8, { groups: [{ groupId, topics: [] }], requireStable: true });
      return !notYet.has(found.groups.at(0).errorCode) && found.groups.at(0).errorCode !== 16;
    });
  }

  async #coordinator(keyType: number, key: string): Promise<void> {
    await waitFor(`a coordinator of ${key}`, async () => {
      const found = await this.send(FindCoordinator, 4, { keyType, coordinatorKeys: [key] });
      return found.coordinators.at(0).errorCode === 0;
    });
  }

  /** [error code, base offset, log append time], that of partition 0. */
  async produce(topic: string, records: RecordsInput | null, options: ProduceOptions = {}) {
    const { version = 12, acks = -1, timeoutMs = 5000, transactionalId = null } = options;
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
    const response = await this.send(Produce, version, { transactionalId, acks, timeoutMs, topicData });
    const { errorCode, baseOffset, logAppendTimeMs, recordErrors } = response.responses.at(0).partitionResponses.at(0);
    return {
      errorCode,
      baseOffset: baseOffset.toNumber(),
      logAppendTimeMs: logAppendTimeMs.toNumber(),
      badRecords: recordErrors.map(({ batchIndex }) => batchIndex),
    };
  }

  /** The code of a batch of `count` records by that producer. */
  async sequence(topic: string, producer: Producer, baseSequence: number, count = 1, options: ProduceOptions = {}) {
    const { errorCode } = await this.produce(topic, batchOf(producer, baseSequence, count), options);
    return errorCode;
  }

  async fetch(topic: string, options: FetchFactOptions = {}) {
    const { version = 12, offset = 0, maxWaitMs = 0, partitionMaxBytes = 1 << 20, lastFetchedEpoch = -1 } = options;
    const partition = {
      partition: 0,
      fetchOffset: offset,
      partitionMaxBytes,
      currentLeaderEpoch: -1,
      lastFetchedEpoch,
    };
    const topicId = version >= 13 ? await this.topicId(topic) : undefined;
    return this.send(Fetch, version, {
      maxWaitMs,
      minBytes: 1,
      isolationLevel: options.isolationLevel ?? 0,
      sessionId: options.sessionId ?? 0,
      sessionEpoch: options.sessionEpoch ?? -1,
      rackId: options.rackId ?? '',
      topics: [{ topic, ...(topicId !== undefined && { topicId }), partitions: [partition] }],
    });
  }

  /** The one partition of such a fetch. */
  async fetchOne(topic: string, options: FetchFactOptions = {}) {
    return (await this.fetch(topic, options)).responses.at(0).partitions.at(0);
  }

  /** [error code, offset, timestamp]. */
  async listOffsets(topic: string, timestamp: number, options: { version?: number; isolationLevel?: number } = {}) {
    const { version = 9, isolationLevel = 0 } = options;
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }];
    const response = await this.send(ListOffsets, version, { replicaId: -1, isolationLevel, topics, timeoutMs: 5000 });
    const { errorCode, offset, timestamp: found } = response.topics.at(0).partitions.at(0);
    return [errorCode, offset.toNumber(), found.toNumber()];
  }
}

export function batchOf(producer: Producer, baseSequence: number, count = 1, isTransactional = false): Buffer {
  const records = Array.from({ length: count }, (_, i) => ({ key: 'k', value: `v${i}` }));
  return buildBatch({ records, ...producer, baseSequence, isTransactional });
}

export function freshId(kind: string): string {
  return `${kind}-${randomUUID()}`;
}
