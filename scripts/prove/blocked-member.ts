// Owns the run in which the application thread is blocked while it has a batch, with one member of each protocol: what became of the
// memberships, of the records and of the memory. Its own process or a test: it blocks the thread that calls it.

import { type Consumer, type ConsumerBatch, KafkaClient } from '../../src/index.ts';

export const blockedSessionMs = 10_000;

/** What brokers must be configured with, so that both protocols have a session of 10 s. */
export const blockedProperties: Readonly<Record<string, string>> = {
  'group.consumer.session.timeout.ms': `${blockedSessionMs}`,
  'group.consumer.min.session.timeout.ms': `${blockedSessionMs}`,
  'group.consumer.heartbeat.interval.ms': '1000',
  'group.consumer.min.heartbeat.interval.ms': '1000',
  'group.initial.rebalance.delay.ms': '0',
};

const protocols = ['consumer', 'classic'] as const;
const partitions = [0, 1];
const records = 4000;
const valueBytes = 500;
/** Less than there is to read, so that the limit is reached. */
const prefetchBytes = 512 * 1024;
const patienceMs = 90_000;
/** A blocked thread tells about it this often. */
const pieceMs = 500;

export interface BlockedReport {
  readonly protocol: (typeof protocols)[number];
  readonly read: number;
  readonly lost: number;
  readonly duplicates: number;
  /** Events `lost` and `revoked`, and changes of the epoch. */
  readonly rebalances: number;
  readonly isBatchLost: boolean;
  readonly prefetchedBytes: number;
  readonly maxPrefetchedBytes: number;
}

export const isUntouched = (one: BlockedReport): boolean =>
  one.lost + one.duplicates + one.rebalances === 0 && !one.isBatchLost && one.prefetchedBytes <= one.maxPrefetchedBytes;

/** Is told of the block by the thread that is blocked. */
export interface BlockWatch {
  begin(ms: number): void;
  goesOn(): void;
  end(): void;
}

interface Member {
  readonly protocol: (typeof protocols)[number];
  readonly consumer: Consumer;
  readonly seen: Map<string, number>;
  readonly first: ConsumerBatch;
  readonly epoch: number;
  readonly changes: unknown[];
}

/** Blocks this thread for `blockedMs`, in the middle of a batch of each member, as a computation would. */
export async function readBlocked(
  bootstrapServers: readonly string[],
  blockedMs: number,
  watch?: BlockWatch,
): Promise<BlockedReport[]> {
  await using client = await KafkaClient.start({
    bootstrapServers,
    metrics: true,
    apiVersionAutoTimeoutMs: patienceMs,
  });
  const topics = protocols.map((protocol) => topicOf(protocol, blockedMs));
  const created = await client.admin().createTopics(topics.map((name) => ({ name, partitions: partitions.length })));
  for (const result of created.values()) if (result instanceof Error) throw result;
  const producer = await client.producer();
  for (const topic of topics) await producer.sendAll(topic, values());
  const members = [];
  for (const protocol of protocols) members.push(await join(client, protocol, topicOf(protocol, blockedMs)));
  block(blockedMs, watch);
  // Before anything is read: what has been prefetched meanwhile.
  const prefetched = members.map(({ consumer }) => consumer.metrics()['consumer-metrics']!['prefetched-bytes']!);
  const reports: BlockedReport[] = [];
  for (const [i, member] of members.entries()) reports.push(await finish(member, prefetched[i]!));
  return reports;
}

/** Never lets the event loop run, as a computation would not. */
function block(ms: number, watch?: BlockWatch): void {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + ms;
  watch?.begin(ms);
  for (let left = ms; left > 0; left = end - performance.now()) {
    Atomics.wait(nothing, 0, 0, Math.min(left, pieceMs));
    watch?.goesOn();
  }
  watch?.end();
}

function topicOf(protocol: string, blockedMs: number): string {
  return `blocked-${protocol}-${blockedMs}`;
}

function values(): { partition: number; value: string }[] {
  return partitions.flatMap((partition) =>
    Array.from({ length: records }, (_, i) => ({ partition, value: `${partition}:${i}`.padEnd(valueBytes) })),
  );
}

async function join(client: KafkaClient, protocol: Member['protocol'], topic: string): Promise<Member> {
  const consumer = await client.consumer({
    groupId: topic,
    topics: [topic],
    autoOffsetReset: 'earliest',
    groupProtocol: protocol,
    prefetchBytes,
    batchMaxBytes: 16 * 1024,
    ...(protocol === 'classic' ? { sessionTimeoutMs: blockedSessionMs, heartbeatIntervalMs: 1000 } : {}),
  });
  const first = await consumer.poll(patienceMs);
  if (first === null) throw new Error(`no record came in ${patienceMs} ms`);
  const changes: unknown[] = [];
  consumer.on('lost', (lost) => changes.push(lost));
  consumer.on('revoked', (revoked) => changes.push(revoked));
  const member = { protocol, consumer, seen: new Map<string, number>(), first, epoch: consumer.group.epoch, changes };
  note(member, first);
  return member;
}

function note({ seen }: Pick<Member, 'seen'>, batch: ConsumerBatch): void {
  for (const { value } of batch) {
    const text = value!.toString().trimEnd();
    seen.set(text, (seen.get(text) ?? 0) + 1);
  }
}

async function finish(member: Member, prefetchedBytes: number): Promise<BlockedReport> {
  const { protocol, consumer, seen, first, epoch, changes } = member;
  const isBatchLost = first.lost || first.done() === 'lost';
  for (let last = performance.now(); seen.size < partitions.length * records; ) {
    const batch = await consumer.poll(1000);
    if (batch === null && performance.now() > last + patienceMs) break;
    if (batch === null) continue;
    last = performance.now();
    note(member, batch);
    batch.done();
  }
  const rebalances = changes.length + (consumer.group.epoch === epoch ? 0 : 1);
  await consumer.close();
  const duplicates = [...seen.values()].reduce((sum, times) => sum + times - 1, 0);
  const lost = partitions.length * records - seen.size;
  const maxPrefetchedBytes = prefetchBytes + 16 * 1024 * partitions.length;
  return { protocol, read: seen.size, lost, duplicates, rebalances, isBatchLost, prefetchedBytes, maxPrefetchedBytes };
}
