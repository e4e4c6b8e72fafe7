// Owns a consumer that reads partitions of topic t, each fetch answered by hand. Test thread.

import { Fetch } from '../../../../../src/protocol/flat/generated/apis.ts';
import type { FetchRequest, FetchResponse } from '../../../../../src/protocol/flat/generated/fetch.ts';
import type { Partition } from '../../../../../src/worker/consumer/partition.ts';
import { ConsumerBench, idOf } from './consumer-bench.ts';

/** Partitions 0 to `count - 1` from offset 10 on, each fetch long. */
export function reading(options: Record<string, unknown> = {}, count = 2): ConsumerBench {
  const bench = new ConsumerBench({ autoOffsetReset: 'earliest', ...options });
  bench.topic('t', count);
  const partitions = Array.from({ length: count }, (_, partition) => ({
    topic: 't',
    partition,
    start: { offset: '10' },
  }));
  bench.role.assign(partitions, bench.now);
  return bench.turn();
}

export const partitionOf = (bench: Pick<ConsumerBench, 'role'>, index: number): Partition =>
  bench.role.partitions.get('t', index)!;

/** Partitions that a request reads; of an incremental one, those that it names. */
export const named = (request: FetchRequest | undefined): number[] =>
  (request?.topics ?? []).flatMap(({ partitions }) => partitions!.map(({ partition }) => partition!));

export const empty = (index: number, fields: object = {}) => ({
  partitionIndex: index,
  errorCode: 0,
  highWatermark: 10n,
  lastStableOffset: 10n,
  ...fields,
});

/** Answers a fetch: what is given of partition 0, nothing new of the others that it names. */
export function answerWith(bench: ConsumerBench, fields: object, sessionId = 77): FetchRequest {
  return bench.answer(Fetch, (request: FetchRequest): FetchResponse => {
    const { topics, sessionId: known } = request;
    return {
      errorCode: 0,
      sessionId: known === 0 ? sessionId : known!,
      responses: topics!.map(({ partitions }) => ({
        topicId: idOf('t'),
        partitions: partitions!.map(({ partition }) => empty(partition!, partition === 0 ? fields : {})),
      })),
    };
  });
}
