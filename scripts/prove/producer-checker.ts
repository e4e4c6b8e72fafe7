// Owns the judgement of the producer's proof, in a process of its own: reads every partition as a reader of committed records does, and
// compares it with the ledger. Also reads what aborted transactions have left, for the comparison with other readers. Prints one JSON line.
//   node producer-checker.js SERVERS TOPIC LEDGER

import { readFile } from 'node:fs/promises';
import { Fetch, KafkaClient, ListOffsets } from '../../src/index.ts';
import { committedRecords } from '../../src/protocol/flat/records/aborted-transactions.ts';
import { waitFor } from '../../test/helpers/wait-for.ts';
import { type Isolation, ReadingDigest } from './reading.ts';

const [servers, topic, ledgerFile] = process.argv.slice(2) as [string, string, string];
const patienceMs = 120_000;

const isolationLevels: Readonly<Record<Isolation, number>> = { read_uncommitted: 0, read_committed: 1 };

/** Returns what readers of committed records see: who wrote it, and its number. */
async function readPartition(client: KafkaClient, partition: number): Promise<string[]> {
  const nodeId = await leaderOf(client, partition);
  await noOpenTransaction(client, nodeId, partition);
  const keys: string[] = [];
  for (const isolation of Object.keys(readings) as Isolation[]) {
    for await (const { offset, text } of readAll(client, nodeId, partition, isolation)) {
      readings[isolation].add(partition, offset, text);
      if (isolation === 'read_committed') keys.push(text.split(' ', 2).join(' '));
    }
  }
  return keys;
}

async function* readAll(client: KafkaClient, nodeId: number, partition: number, isolation: Isolation) {
  const isolationLevel = isolationLevels[isolation];
  const end = await endOffset(client, nodeId, partition, isolation);
  for (let next = 0; next < end; ) {
    const asked = [{ partition, fetchOffset: next, partitionMaxBytes: 1 << 22 }];
    const response = await client.send(
      nodeId,
      Fetch,
      { maxWaitMs: 500, minBytes: 1, isolationLevel, topics: [{ topic, partitions: asked }] },
      { version: 12 },
    );
    const { records, abortedTransactions, errorCode } = response.responses.at(0).partitions.at(0);
    if (errorCode !== 0) throw new Error(`Fetch of partition ${partition} answered ${errorCode}`);
    if (records.error !== null) throw records.error;
    for (const record of isolationLevel === 1 ? committedRecords(records, abortedTransactions) : records)
      yield { offset: record.offset.toNumber(), text: Buffer.from(record.value!).toString() };
    next = records.nextOffset!.toNumber();
  }
}

async function endOffset(
  client: KafkaClient,
  nodeId: number,
  partition: number,
  isolation: Isolation,
): Promise<number> {
  const at = await client.send(nodeId, ListOffsets, {
    replicaId: -1,
    isolationLevel: isolationLevels[isolation],
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
  });
  return at.topics.at(0).partitions.at(0).offset.toNumber();
}

/** A transaction that is open hides what comes after it, for as long as its time limit at most. */
async function noOpenTransaction(client: KafkaClient, nodeId: number, partition: number): Promise<void> {
  const isSettled = async (): Promise<boolean> => {
    const stable = await endOffset(client, nodeId, partition, 'read_committed');
    return stable === (await endOffset(client, nodeId, partition, 'read_uncommitted'));
  };
  await waitFor(`the end of all transactions in partition ${partition}`, isSettled, patienceMs);
}

async function leaderOf(client: KafkaClient, partition: number): Promise<number> {
  const { leader } = await waitFor(
    `a leader of partition ${partition}`,
    async () => {
      await client.refreshMetadata();
      const found = client.cluster.leaderForPartition({ topic, partition });
      return typeof found === 'number' && found >= 0 ? { leader: found } : null;
    },
    patienceMs,
  );
  await client.awaitReady(leader, { timeoutMs: patienceMs });
  return leader;
}

await using client = await KafkaClient.start({ bootstrapServers: servers, apiVersionAutoTimeoutMs: 60_000 });
await client.addTopic(topic);
const outcomes = new Map<string, { partition: number; outcome: string }>();
for (const line of (await readFile(ledgerFile, 'utf8')).split('\n')) {
  const [producer, number, partition, outcome] = line.split(' ');
  if (outcome !== undefined) outcomes.set(`${producer} ${number}`, { partition: Number(partition), outcome });
}
const verdict = { acknowledged: 0, failed: 0, maybe: 0, lost: 0, doubled: 0, reordered: 0, unexpected: 0, read: 0 };
const seen = new Map<string, number>();
const readings = { read_committed: new ReadingDigest(), read_uncommitted: new ReadingDigest() };
for (const partition of client.cluster.partitionsForTopic(topic)!) {
  const last = new Map<string, number>();
  for (const key of await readPartition(client, partition)) {
    verdict.read++;
    if (seen.has(key)) verdict.doubled++;
    seen.set(key, partition);
    const [producer, number] = key.split(' ') as [string, string];
    if (Number(number) <= (last.get(producer) ?? -1)) verdict.reordered++;
    last.set(producer, Number(number));
    if (outcomes.get(key)?.partition !== partition) verdict.unexpected++;
  }
}
for (const [key, { outcome }] of outcomes) {
  if (outcome === 'a') verdict.acknowledged++;
  else if (outcome === 'f') verdict.failed++;
  else verdict.maybe++;
  if (outcome === 'a' && !seen.has(key)) verdict.lost++;
  if (outcome === 'f' && seen.has(key)) verdict.unexpected++;
}
const read = { read_committed: readings.read_committed.end(), read_uncommitted: readings.read_uncommitted.end() };
process.stdout.write(`${JSON.stringify({ verdict, readings: read })}\n`);
