// Compares the reading and writing of topics with few and with many partitions.
//   npm run bench:peers -- partitions

import { measure } from './support/harness.ts';
import type { PeerName } from './support/registry.ts';
import { brokerStage, withFilled, withWritten } from './support/stage.ts';

const counts = [1, 1000] as const;
const peers: readonly PeerName[] = ['this client', '@platformatic/kafka', 'node-rdkafka'];
const records = 3_000_000;
const valueBytes = 100;

export async function* run() {
  const stage = await brokerStage();
  for (const partitions of counts) {
    const words = partitions === 1 ? '1 partition' : `${partitions} partitions`;
    const shared = { valueBytes, partitions, peers };
    const endOffset = records / partitions;
    yield* withFilled(stage, { ...shared, endOffset, isVaried: true }, (topic) =>
      measure(stage, { ...shared, endOffset, topic, work: 'read', name: `consume 100 B, ${words}` }),
    );
    yield* withWritten(stage, partitions, (topic) =>
      measure(stage, { ...shared, topic, work: 'write', name: `produce 100 B, ${words}` }),
    );
  }
}
