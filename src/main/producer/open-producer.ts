// Owns the opening of a producer: its options checked, its shared memory made, the network thread told. Application thread.

import { type ProducerConfigInput, parseProducerConfig } from '../../common/config/producer-config.ts';
import { KafkaConfigurationError } from '../../common/errors/errors.ts';
import type { ClientHost } from '../link/client-host.ts';
import { Producer } from './producer.ts';
import { createProducerMemory, portsOf } from './producer-memory.ts';
import { ProducerSession } from './producer-session.ts';
import type { ProducerOptions } from './producer-types.ts';
import type { BytesInput } from './record-input.ts';

/** Opens a producer of the client behind `host`. Fails with: KafkaConfigurationError listing every problem. */
export async function openProducer<K = BytesInput, V = BytesInput>(
  host: ClientHost,
  options: ProducerOptions<K, V>,
): Promise<Producer<K, V>> {
  const config = parseProducerConfig(configOf(options), (text) => host.log('info', 'producer-config', text));
  const memory = createProducerMemory(config, host.networkDoorbell, host.countersMemory);
  await host.callWith(
    (control, link) => control.openProducer(config, memory.batchMemoryBytes, link),
    memory.network,
    portsOf(memory.network.link),
  );
  return new Producer(options, host, (listener) => new ProducerSession(host, config, memory.application, listener));
}

/** The part of the options that is configuration: data for both threads. */
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
