// Topics of batches that are large enough for the codec pool, and their reading.

import { Fetch, type KafkaClient } from '../../../src/index.ts';
import type { EmbeddedBroker } from '../../helpers/embedded-broker.ts';
import type { noisyBatch } from '../../unit/worker/support/big-messages.ts';
import { byName, fetchRequest } from './requests.ts';

let topics = 0;

/** A new topic with these batches. */
export async function topicWith(
  broker: EmbeddedBroker,
  ...batches: readonly ReturnType<typeof noisyBatch>[]
): Promise<string> {
  const name = `topic-${topics++}`;
  await broker.createTopic(name);
  for (const batch of batches) await broker.append(name, 0, batch);
  return name;
}

/** The topic from its beginning. */
export function fetchWhole(client: KafkaClient, topic: string) {
  return client.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0 }), byName);
}
