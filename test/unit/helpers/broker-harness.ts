// What the tests of the embedded broker share: a cluster of three nodes in this process, a client of node 0 for each test,
// and short ways to produce and fetch.

import { after, afterEach, before, beforeEach } from 'node:test';
import { Fetch, type FetchRequest, Produce } from '../../../src/protocol/flat/generated/apis.ts';
import type { RecordsInput } from '../../../src/protocol/flat/records/record-writer.ts';
import { type EmbeddedBroker, startEmbeddedBrokerInProcess, type TopicOptions } from '../../helpers/embedded-broker.ts';
import { RawClient } from '../../helpers/raw-client.ts';

export const time = 1_700_000_000_000;

export function values(count: number, first = 0): { key: string; value: string; timestamp: number }[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `k${first + i}`,
    value: `v${first + i}`,
    timestamp: time + first + i,
  }));
}

export interface FetchOptions {
  version?: number;
  offset?: number;
  maxWaitMs?: number;
  minBytes?: number;
  maxBytes?: number;
  partitionMaxBytes?: number;
  topics?: string[];
  currentLeaderEpoch?: number;
}

export function fetchRequest(topic: string, options: FetchOptions = {}): FetchRequest {
  const { offset = 0, maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, partitionMaxBytes = 1 << 20 } = options;
  const { topics = [topic], currentLeaderEpoch = -1 } = options;
  return {
    maxWaitMs,
    minBytes,
    maxBytes,
    topics: topics.map((name) => ({
      topic: name,
      partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes, currentLeaderEpoch }],
    })),
  };
}

export class BrokerHarness {
  #broker: EmbeddedBroker | null = null;
  #client: RawClient | null = null;
  readonly #opened: RawClient[] = [];
  #nextTopic = 0;

  /** To be made where tests are declared: it adds the hooks. */
  constructor() {
    before(async () => {
      this.#broker = await startEmbeddedBrokerInProcess({
        nodes: 3,
        topics: {
          two: {
            assignments: [
              [0, 1],
              [1, 2],
            ],
          },
          internal: { isInternal: true },
        },
        messageMaxBytes: 100_000,
      });
    });
    beforeEach(async () => {
      this.#client = await this.open(0);
    });
    afterEach(() => {
      for (const each of this.#opened.splice(0)) each.close();
    });
    after(async () => {
      await this.#broker?.close();
    });
  }

  get broker(): EmbeddedBroker {
    return this.#broker!;
  }

  /** Of node 0, new for each test. */
  get client(): RawClient {
    return this.#client!;
  }

  async open(nodeId: number): Promise<RawClient> {
    const client = await RawClient.connect(this.broker.nodes[nodeId]!.port);
    this.#opened.push(client);
    return client;
  }

  /** A topic of its own for a test, all of it led by node 0. */
  async topicOnNode0(options: TopicOptions = {}): Promise<string> {
    const name = `topic-${this.#nextTopic++}`;
    await this.broker.createTopic(name, { assignments: [[0]], ...options });
    return name;
  }

  produceTo(topic: string, records: RecordsInput | null, options: { version?: number; acks?: number } = {}) {
    const { version = 9, acks = -1 } = options;
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
    return this.client.send(Produce, version, { acks, timeoutMs: 1000, topicData });
  }

  async produced(topic: string, records: RecordsInput | null, version = 9) {
    const response = await this.produceTo(topic, records, { version });
    const { errorCode, baseOffset } = response.responses.at(0).partitionResponses.at(0);
    return { errorCode, baseOffset: baseOffset.toNumber() };
  }

  async fetched(topic: string, options: FetchOptions = {}) {
    const response = await this.client.send(Fetch, options.version ?? 12, fetchRequest(topic, options));
    return response.responses.at(0).partitions.at(0);
  }
}
