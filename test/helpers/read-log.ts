// Owns the reading of a whole partition by ListOffsets and Fetch, without a consumer. Test thread.

import { Fetch, type KafkaClient, ListOffsets } from '../../src/index.ts';
import { committedRecords } from '../../src/protocol/flat/records/aborted-transactions.ts';
import { waitFor } from './wait-for.ts';

export interface LogRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [name: string, value: string | null])[];
  /** ms */
  readonly timestamp: number;
  readonly offset: number;
}

/**
 * All records of a partition, from offset 0 to its end.
 * @param committedOnly only records that readers of committed records see
 */
export async function readLog(
  client: KafkaClient,
  topic: string,
  partition = 0,
  { committedOnly = false } = {},
): Promise<LogRecord[]> {
  await client.addTopic(topic);
  const nodeId = await leaderOf(client, topic, partition);
  await client.awaitReady(nodeId);
  const isolationLevel = committedOnly ? 1 : 0;
  const at = await client.send(nodeId, ListOffsets, {
    replicaId: -1,
    isolationLevel,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
  });
  const end = at.topics.at(0).partitions.at(0).offset.toNumber();
  const all: LogRecord[] = [];
  for (let next = 0; next < end; ) {
    const response = await client.send(
      nodeId,
      Fetch,
      {
        maxWaitMs: 100,
        minBytes: 1,
        isolationLevel,
        topics: [{ topic, partitions: [{ partition, fetchOffset: next, partitionMaxBytes: 1 << 24 }] }],
      },
      { version: 12 },
    );
    const { records, abortedTransactions } = response.responses.at(0).partitions.at(0);
    for (const record of committedOnly ? committedRecords(records, abortedTransactions) : records) {
      all.push({
        key: textOf(record.key),
        value: textOf(record.value),
        headers: [...record.headers].map(({ key, value }) => [key, textOf(value)]),
        timestamp: record.timestamp.toNumber(),
        offset: record.offset.toNumber(),
      });
    }
    next = records.nextOffset!.toNumber();
  }
  return all;
}

/** The values of `readLog`. */
export async function readValues(...args: Parameters<typeof readLog>): Promise<(string | null)[]> {
  return (await readLog(...args)).map(({ value }) => value);
}

/** A topic that was just made may have no leader yet, and the leader of another may have moved. */
async function leaderOf(client: KafkaClient, topic: string, partition: number): Promise<number> {
  const found = await waitFor('a leader', async () => {
    await client.refreshMetadata();
    const leader = client.cluster.leaderForPartition({ topic, partition });
    return typeof leader === 'number' && leader >= 0 ? { leader } : null;
  });
  return found.leader;
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}
