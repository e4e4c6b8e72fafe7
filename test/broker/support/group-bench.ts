// Owns an embedded broker with groups and the consumers of one test in it, for tests of memberships. Test thread.

import { afterEach } from 'node:test';
import { Consumer, type ConsumerBatch, type ConsumerOptions, type KafkaClientOptions } from '../../../src/index.ts';
import { type EmbeddedBroker, type EmbeddedBrokerOptions, startEmbeddedBroker } from '../../helpers/embedded-broker.ts';
import { patient } from '../../helpers/patience.ts';

export class GroupBench {
  readonly #consumers: Consumer[] = [];
  #broker: EmbeddedBroker | null = null;

  /** After each test of the file everything is closed. */
  constructor() {
    afterEach(async () => {
      await Promise.all(this.#consumers.splice(0).map((consumer) => consumer.close({ timeoutMs: 2000 })));
      await this.#broker?.close();
      this.#broker = null;
    });
  }

  get broker(): EmbeddedBroker {
    return this.#broker!;
  }

  async begin(options: EmbeddedBrokerOptions = {}): Promise<void> {
    this.#broker = await startEmbeddedBroker({
      topics: { t: 4 },
      groups: { consumerHeartbeatIntervalMs: 100 },
      ...options,
    });
  }

  /** A member of group g that reads topic t, unless the options say otherwise. */
  async start(options: ConsumerOptions & KafkaClientOptions): Promise<Consumer> {
    const consumer = await Consumer.start({
      ...patient,
      bootstrapServers: this.broker.bootstrapServers,
      groupId: 'g',
      topics: ['t'],
      autoOffsetReset: 'earliest',
      ...options,
    });
    this.#consumers.push(consumer);
    return consumer;
  }
}

/** Options for each protocol of groups. */
export const protocols: readonly (readonly ['consumer' | 'classic', ConsumerOptions])[] = [
  ['consumer', { groupProtocol: 'consumer' }],
  ['classic', { groupProtocol: 'classic', heartbeatIntervalMs: 100 }],
];

export const valuesOf = (batch: ConsumerBatch): string[] => [...batch].map(({ value }) => String(value));
export const own = (consumer: Consumer): string[] =>
  consumer.assignment.map(({ topic, partition }) => `${topic}-${partition}`).sort();
