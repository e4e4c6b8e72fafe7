// Owns an embedded cluster of two brokers and a client that makes producers. Test thread.

import { KafkaClient, type Producer, type ProducerOptions } from '../../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../helpers/embedded-broker.ts';
import { patient } from '../../helpers/patience.ts';
import { type LogRecord, readLog, readValues } from '../../helpers/read-log.ts';

export class ProducerBench {
  readonly broker: EmbeddedBroker;
  readonly client: KafkaClient;
  #topics = 0;
  readonly #open: Producer<never, never>[] = [];

  private constructor(broker: EmbeddedBroker, client: KafkaClient) {
    this.broker = broker;
    this.client = client;
  }

  static async start(): Promise<ProducerBench> {
    const broker = await startEmbeddedBroker({ nodes: 2 });
    const client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
    return new ProducerBench(broker, client);
  }

  /** Closes the producers of one test. */
  async closeProducers(): Promise<void> {
    for (const producer of this.#open.splice(0)) await producer.close({ timeoutMs: 1000 });
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.broker.close();
  }

  async producerOf<K, V>(options: ProducerOptions<K, V> = {}): Promise<Producer<K, V>> {
    const producer = await this.client.producer<K, V>(options);
    this.#open.push(producer as unknown as Producer<never, never>);
    return producer;
  }

  async newTopic(partitions = 1): Promise<string> {
    this.#topics++;
    const name = `topic-${this.#topics}`;
    await this.broker.createTopic(name, { partitions });
    return name;
  }

  read(topic: string, partition?: number): Promise<LogRecord[]> {
    return readLog(this.client, topic, partition);
  }

  valuesOf(topic: string, partition?: number): Promise<(string | null)[]> {
    return readValues(this.client, topic, partition);
  }
}
