// Owns a small producer on a KafkaClient, for a topic with one partition. All waiting records are sent as one batch, one batch at a time.
// Main thread of a contender.

import { setTimeout as delay } from 'node:timers/promises';
import { errorFor, KafkaClient, KafkaClientError, type KafkaClientOptions, Produce } from '../../../src/index.ts';
import type { Producer, ProducerPlace } from './producers.ts';

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

const value = Buffer.alloc(100, 'x');
/** This is longer than a connection attempt takes. After this time the leader is looked up again. */
const readyTimeoutMs = 1000;

export class OurProducer implements Producer {
  readonly version = 'this';
  readonly settings: string;
  readonly #client: KafkaClient;
  readonly #place: ProducerPlace;
  #waiting: Waiting[] = [];
  #isSending = false;

  private constructor(client: KafkaClient, place: ProducerPlace, settings: string) {
    this.#client = client;
    this.#place = place;
    this.settings = settings;
  }

  static async start(place: ProducerPlace, options: KafkaClientOptions, settings: string): Promise<OurProducer> {
    const client = await KafkaClient.start({ ...options, bootstrapServers: [...place.bootstrapServers] });
    await client.setTopics([place.topic]);
    return new OurProducer(client, place, settings);
  }

  produce(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      if (!this.#isSending) void this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#append(batch.length);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error as Error);
      }
    }
    this.#isSending = false;
  }

  /**
   * Sends to the leader when it is ready, like a producer. Refreshes metadata and tries again after an error that needs it and while there is
   * no leader. The client's own backoffs limit the rate.
   */
  async #append(count: number): Promise<void> {
    for (;;) {
      const leader = this.#client.cluster.leaderForPartition({ topic: this.#place.topic, partition: 0 }) ?? -1;
      if (leader >= 0 && this.#client.ready(leader)) {
        const error = await this.#attempt(leader, count);
        if (error === null) return;
        if ((error as { retriable?: boolean }).retriable !== true) throw error;
      }
      await this.#untilItMayBeBetter(leader);
    }
  }

  async #attempt(leader: number, count: number): Promise<Error | null> {
    const { topic: name } = this.#place;
    const records = Array.from({ length: count }, () => ({ value }));
    const topicId = this.#client.cluster.topicId(name)!;
    const topicData = [{ name, topicId, partitionData: [{ index: 0, records }] }];
    try {
      const response = await this.#client.send(leader, Produce, { acks: -1, timeoutMs: 30_000, topicData });
      return errorFor(response.responses.at(0).partitionResponses.at(0).errorCode);
    } catch (error) {
      return error as Error;
    }
  }

  /** Waits until there is new metadata or the leader is connected. */
  async #untilItMayBeBetter(leader: number): Promise<void> {
    // A refresh fails while no broker can be reached. The next one comes after the backoff.
    const refreshed = this.#client.refreshMetadata().then(
      () => {},
      (error: unknown) => {
        if (!(error instanceof KafkaClientError)) throw error;
        return delay(this.#client.config.retryBackoffMs);
      },
    );
    if (leader < 0) return refreshed;
    const isReady = this.#client.awaitReady(leader, { timeoutMs: readyTimeoutMs }).catch(() => refreshed);
    return Promise.race([refreshed, isReady]);
  }
}
