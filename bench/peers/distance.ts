// Compares the clients at a broker that is 100 ms away, there and back.
//   npm run bench:peers -- distance

import { measure } from './support/harness.ts';
import type { PeerName } from './support/registry.ts';
import { brokerStage, withFilled, withWritten } from './support/stage.ts';

const partitions = 4;
const filled = { partitions, valueBytes: 1024, endOffset: 200_000 };
const peers: readonly PeerName[] = ['this client', '@platformatic/kafka', 'kafkajs', 'node-rdkafka'];

export async function* run() {
  const stage = await brokerStage();
  const far = { ...stage, ...stage.far };
  const words = `1 KiB, a broker ${stage.far.roundTripMs} ms away`;
  yield* withFilled(stage, { ...filled, isVaried: true }, (topic) =>
    measure(far, { ...filled, topic, work: 'read', peers, name: `consume ${words}` }),
  );
  yield* withWritten(stage, partitions, (topic) =>
    measure(far, { partitions, valueBytes: 1024, topic, work: 'write', peers, name: `produce ${words}` }),
  );
}
