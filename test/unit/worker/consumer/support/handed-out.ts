// Owns the handing out of a batch that no broker has sent, to the application of a consumer's bench. Test thread.

import type { ConsumerBench, Handed } from './consumer-bench.ts';
import { partitionOf } from './reading-bench.ts';

/** Five records of partition `index` of topic t, from offset 10 on. */
export function handOut({ role, application }: ConsumerBench, index: number): Handed {
  const partition = partitionOf({ role }, index);
  role.resolver.start(partition, { offset: '10' });
  const bytes = { buffer: new ArrayBuffer(8), usedBytes: 8, fetchedBytes: 8 };
  const batch = { ...bytes, count: 5, firstOffset: 10n, nextOffset: 15n, leaderEpoch: 5 };
  partition.handedOut(application.hand(batch, { partition: index }));
  return application.handed.at(-1)!;
}
