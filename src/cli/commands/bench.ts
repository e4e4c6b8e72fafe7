// Owns the command `bench`: how many records a second this machine sends to a topic, or reads from one. Main thread.

import type { Command } from 'commander';
import { monotonicNowMs } from '../../common/clock.ts';
import { type Context, jsonText } from '../context.ts';
import { exitCodes, UsageError } from '../exit-codes.ts';
import { type Declaration, integerFrom } from '../flags.ts';
import type { Done } from '../io/progress.ts';
import { EndOfLogs } from '../records/end-of-logs.ts';

interface Flags {
  readonly topic?: string;
  readonly numRecords: number;
  readonly recordSize: number;
  readonly throughput: number;
}

const defaultRecords = 1_000_000;
const defaultSizeBytes = 100;
/** One record in so many is timed. */
const timedShare = 1000;
const pollMs = 1000;

export const bench: Declaration = {
  name: 'bench',
  description: 'measure how fast records are sent to a topic, or read from it',
  help: `Examples:
  offthread-kafka bench produce --topic test --num-records 1000000 --record-size 100 --bootstrap-server localhost:9092
  offthread-kafka bench consume --topic test --output json`,
  uses: ['tables'],
  flags: (command: Command) => {
    command
      .argument('<what>', 'produce or consume')
      .requiredOption('--topic <name>', 'the topic')
      .option('--num-records <number>', 'how many records', integerFrom(1), defaultRecords)
      .option('--record-size <bytes>', 'size of each value', integerFrom(0, 100_000_000), defaultSizeBytes)
      .option('--throughput <records>', 'records a second at most; -1: as fast as it goes', integerFrom(-1), -1);
  },
  run: async (context: Context, flags: Flags, [what]: readonly (string | undefined)[]) => {
    if (what !== 'produce' && what !== 'consume') throw new UsageError('bench must be followed by produce or consume');
    await context.client();
    await context.needTopics([flags.topic!]);
    const measured = what === 'produce' ? await benchProduce(context, flags) : await benchConsume(context, flags);
    const { records, bytes, seconds, cpuSeconds, latenciesMs, failed } = measured;
    const row = {
      records,
      failed,
      seconds: rounded(seconds),
      recordsPerSecond: Math.round(records / seconds),
      megabytesPerSecond: rounded(bytes / 1e6 / seconds),
      processCpuSeconds: rounded(cpuSeconds),
      ...(latenciesMs.length > 0 && {
        latencyP50Ms: rounded(quantile(latenciesMs, 0.5)),
        latencyP99Ms: rounded(quantile(latenciesMs, 0.99)),
      }),
    };
    if (context.isJson) context.out.line(jsonText(row));
    else {
      await context.rows(
        [
          { key: 'name', title: 'MEASURE' },
          { key: 'value', title: 'VALUE', isNumber: true },
        ],
        Object.entries(row).map(([name, value]) => ({ name, value })),
      );
    }
    context.checkSignal();
    return failed === 0 ? exitCodes.success : exitCodes.failure;
  },
};

interface Measured {
  readonly records: number;
  readonly failed: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Of all threads of the process. */
  readonly cpuSeconds: number;
  readonly latenciesMs: number[];
}

async function benchProduce(context: Context, flags: Flags): Promise<Measured> {
  const { producer: options } = await context.config();
  const producer = await (await context.client()).producer(options);
  const { numRecords, recordSize, throughput } = flags;
  const topic = flags.topic!;
  const value = Buffer.alloc(recordSize, 'a benchmark record of offthread-kafka ');
  const latenciesMs: number[] = [];
  const progress = await context.progress();
  progress.begin('produce');
  const startedAt = monotonicNowMs();
  const cpu = process.cpuUsage();
  const done = (): Done => {
    const { acknowledged } = producer.counters;
    return { share: acknowledged / numRecords, bytes: acknowledged * recordSize, records: acknowledged };
  };
  for (let i = 0; i < numRecords && !context.signal.aborted; i++) {
    if (throughput > 0 && i % 100 === 0) await pace(startedAt, i, throughput, context.signal);
    if (i % timedShare === 0) {
      await producer.ready(recordSize + 1024);
      const sentAt = monotonicNowMs();
      producer.send(topic, { value }).then(
        () => latenciesMs.push(monotonicNowMs() - sentAt),
        () => {},
      );
      progress.update(done());
    } else while (!producer.append(topic, null, value)) await producer.ready(recordSize + 1024);
  }
  await producer.flush();
  const { acknowledged, failed } = producer.counters;
  const seconds = (monotonicNowMs() - startedAt) / 1000;
  const used = process.cpuUsage(cpu);
  progress.end(done());
  await producer.close();
  const cpuSeconds = (used.user + used.system) / 1e6;
  return { records: acknowledged, failed, bytes: acknowledged * recordSize, seconds, cpuSeconds, latenciesMs };
}

async function pace(startedAt: number, sent: number, throughput: number, signal: AbortSignal): Promise<void> {
  const aheadMs = (sent / throughput) * 1000 - (monotonicNowMs() - startedAt);
  if (aheadMs <= 1) return;
  const { setTimeout: wait } = await import('node:timers/promises');
  await wait(aheadMs, undefined, { signal }).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
  });
}

async function benchConsume(context: Context, flags: Flags): Promise<Measured> {
  const client = await context.client();
  const { consumer: options } = await context.config();
  const admin = client.admin({ timeoutMs: context.timeoutMs });
  const { partitions } = (await admin.describeTopics([flags.topic!])).orThrow().get(flags.topic!)!;
  const places = partitions.map(({ partition }) => ({ topic: flags.topic!, partition }));
  const ends = await EndOfLogs.of(context, client, places);
  const assign = places.map((place) => ({ ...place, offset: 'earliest' as const }));
  const consumer = await client.consumer({ ...options, groupId: null, assign });
  const progress = await context.progress();
  progress.begin('consume');
  const startedAt = monotonicNowMs();
  const cpu = process.cpuUsage();
  let records = 0;
  let bytes = 0;
  const position = (place: (typeof places)[number]): bigint | null => {
    const found = consumer.position(place);
    return found === null ? null : BigInt(String(found));
  };
  while (records < flags.numRecords && !context.signal.aborted && !ends.isReached) {
    const batch = await consumer.poll(pollMs, { signal: context.signal });
    if (batch === null) {
      if (ends.isReachedBy(position)) break;
      continue;
    }
    for (const cursor = batch.cursor(); cursor.next(); ) bytes += Math.max(cursor.valueLength, 0);
    records += batch.count;
    batch.done();
    ends.note(batch.topic, batch.partition, batch.nextOffset.toBigInt());
    batch.recycle();
    progress.update({ share: records / flags.numRecords, bytes, records });
  }
  const seconds = (monotonicNowMs() - startedAt) / 1000;
  const used = process.cpuUsage(cpu);
  progress.end({ share: 1, bytes, records });
  await consumer.close();
  return { records, failed: 0, bytes, seconds, cpuSeconds: (used.user + used.system) / 1e6, latenciesMs: [] };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
