// Compares small requests, which fetch the metadata of one topic: one after the other, awaited and blocking, and a thousand at once.
//   npm run bench:peers -- requests

import { measure } from './support/harness.ts';
import type { PeerName } from './support/registry.ts';
import { brokerStage, withWritten } from './support/stage.ts';

const peers: readonly PeerName[] = [
  'this client',
  "@platformatic/kafka's Fetch and Produce",
  'kafkajs',
  'kafka-ts',
  'node-rdkafka',
  '@confluentinc/kafka-javascript',
  'bare socket',
];

export async function* run() {
  const stage = await brokerStage();
  yield* withWritten(stage, 1, async function* (topic) {
    const shared = { work: 'request', topic, partitions: 1, valueBytes: 0 } as const;
    yield* measure(stage, { ...shared, peers, name: 'small request, one after the other' });
    yield* measure(stage, { ...shared, peers, atOnce: 1000, name: '1,000 small requests at once' });
  });
}
