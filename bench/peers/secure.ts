// Compares the clients over TLS with a SCRAM login.
//   npm run bench:peers -- secure

import { measure } from './support/harness.ts';
import type { PeerName } from './support/registry.ts';
import { brokerStage, withFilled, withWritten } from './support/stage.ts';

const partitions = 4;
const filled = { partitions, valueBytes: 1024, endOffset: 200_000 };
const readers: readonly PeerName[] = ['this client', '@platformatic/kafka', 'kafkajs', 'kafka-ts', 'node-rdkafka'];
const fetchers: readonly PeerName[] = ["this client's Fetch and Produce", "@platformatic/kafka's Fetch and Produce"];

export async function* run() {
  const stage = await brokerStage();
  const secure = { ...stage, ...stage.secure };
  const words = '1 KiB over TLS with SCRAM';
  // The topics are made over the other listener.
  yield* withFilled(stage, { ...filled, isVaried: true }, async function* (topic) {
    yield* measure(secure, { ...filled, topic, work: 'read', peers: readers, name: `consume ${words}` });
    yield* measure(secure, { ...filled, topic, work: 'read', peers: fetchers, name: `fetch ${words}` });
  });
  yield* withWritten(stage, partitions, (topic) =>
    measure(secure, { partitions, valueBytes: 1024, topic, work: 'write', peers: readers, name: `produce ${words}` }),
  );
}
