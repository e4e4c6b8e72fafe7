// Owns the opening of a producer: checks its options, makes its shared memory, tells the network thread. Application thread.

import { configOptions, type KafkaClientOptions } from '../common/config/config.ts';
import { type ProducerConfigInput, parseProducerConfig } from '../common/config/producer-config.ts';
import { producerOptions } from '../common/config/producer-options.ts';
import { KafkaConfigurationError } from '../common/errors/errors.ts';
import { createProducerMetrics } from '../state/producer-metrics.ts';
import type { ClientHost } from './link/client-host.ts';
import { handleIn, makeProducerHandle, type ProducerHandle } from './producer/producer-handle.ts';
import { createProducerMemory, portsOf } from './producer/producer-memory.ts';
import { ProducerSession } from './producer/producer-session.ts';
import type { AttachedProducerOptions, ProducerOptions } from './producer/producer-types.ts';
import type { BytesInput } from './producer/record-input.ts';
import { Producer } from './producer.ts';

/** Opens a producer of the client behind `host`. Fails with KafkaConfigurationError, which lists every problem. */
export async function openProducer<K = BytesInput, V = BytesInput>(
  host: ClientHost,
  options: ProducerOptions<K, V>,
): Promise<Producer<K, V>> {
  const shared = handleIn(options);
  if (shared !== null) return attachProducer(host, shared, options as AttachedProducerOptions<K, V>);
  const config = parseProducerConfig(configOf(options), (text) => host.log('info', 'producer-config', text));
  const memory = createProducerMemory(config, host.networkDoorbell, host.countersMemory);
  const metrics = host.metricsOrigin.metrics ? createProducerMetrics() : null;
  const opening = { batchMemoryBytes: memory.batchMemoryBytes, metrics };
  const producerId = await host.callWith<object, number>(
    (control, link) => control.openProducer(config, opening, link),
    memory.network,
    portsOf(memory.network),
  );
  const handleOf = (): ProducerHandle => makeProducerHandle(host.share(), producerId, config, metrics);
  return new Producer(options, host, metrics, handleOf, (listener) => {
    return new ProducerSession(host, config, memory.application, listener);
  });
}

/** Opens this thread's end of a producer that another thread has shared. */
async function attachProducer<K, V>(
  host: ClientHost,
  { producerId, config, metrics }: Pick<ProducerHandle, 'producerId' | 'config' | 'metrics'>,
  options: AttachedProducerOptions<K, V>,
): Promise<Producer<K, V>> {
  const { application, network } = createProducerMemory(config, host.networkDoorbell, host.countersMemory, true);
  await host.callWith((control, link) => control.attachProducer(producerId, link), network as object, portsOf(network));
  const handleOf = (): ProducerHandle => makeProducerHandle(host.share(), producerId, config, metrics);
  return new Producer(options, host, metrics, handleOf, (listener) => {
    return new ProducerSession(host, config, application, listener);
  });
}

/** Splits the options into those of a client and those of a producer. Options that both have go to both. Reports every problem of the producer's options. */
export function apart<K, V>(
  options: KafkaClientOptions & ProducerOptions<K, V>,
): { readonly client: KafkaClientOptions; readonly producer: ProducerOptions<K, V> } {
  const client: Record<string, unknown> = {};
  const producer: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options ?? {})) {
    const isClients = Object.hasOwn(configOptions, key);
    if (isClients) client[key] = value;
    if (!isClients || Object.hasOwn(producerOptions, key)) producer[key] = value;
  }
  // The options are checked before a thread is started.
  parseProducerConfig(configOf(producer));
  return { client, producer: producer as ProducerOptions<K, V> };
}

/** The options that are plain data for both threads. */
function configOf<K, V>(options: ProducerOptions<K, V>): ProducerConfigInput {
  if (typeof options !== 'object' || options === null) return options;
  const { serializeKey, serializeValue, hooks, partitioner, ...config } = options;
  for (const [key, value] of Object.entries({ serializeKey, serializeValue })) {
    if (value !== undefined && typeof value !== 'function')
      throw new KafkaConfigurationError(`${key} must be a function, not ${typeof value}`);
  }
  if (hooks !== undefined && (typeof hooks !== 'object' || hooks === null))
    throw new KafkaConfigurationError(`hooks must be an object, not ${typeof hooks}`);
  return { ...config, ...(partitioner !== undefined && typeof partitioner !== 'function' && { partitioner }) };
}
