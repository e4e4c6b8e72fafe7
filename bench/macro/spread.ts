// Measures a producer whose keyed records spread over few and over many partitions of one broker: what a record costs, and how many share a
// batch. With many partitions the memory for batches is less than a full batch for each. The topics take turns. Main thread.
//   npm run bench -- macro/spread

import { KafkaClient, type Producer } from '../../src/index.ts';
import { type BenchRow, median } from '../support/rows.ts';
import { withBroker } from './support/broker.ts';
import { createTopic } from './support/topic.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? (process.env.BENCH_QUICK === '1' ? 2 : 5));
const [few, ...many] = [4, 100, 1000] as const;
const records = 300_000;
const value = Buffer.alloc(100, 'x');
const keys = Array.from({ length: 50_000 }, (_, i) => Buffer.from(`key ${(i * 7919) % 50_000}`));

interface Measured {
  readonly recordsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly recordsPerBatch: number;
}

export async function run(): Promise<BenchRow[]> {
  return withBroker(async ({ host, port, description }) => {
    const client = await KafkaClient.start({ bootstrapServers: `${host}:${port}`, metrics: true });
    try {
      const topicOf = (partitions: number): string => `bench-spread-${process.pid}-${partitions}`;
      const results = new Map<number, Measured[]>();
      for (const partitions of [few, ...many]) {
        await createTopic(client, topicOf(partitions), partitions);
        results.set(partitions, []);
        await give(client, topicOf(partitions));
      }
      for (let round = 0; round < rounds; round++)
        for (const [partitions, all] of results) all.push(await give(client, topicOf(partitions)));
      const parameters = { broker: description, rounds, records, valueBytes: value.length };
      return many.flatMap((partitions) => {
        const row = (name: string, unit: string, metric: keyof Measured): BenchRow => {
          const [ours, theirs] = [partitions, few].map((count) =>
            median(results.get(count)!.map((one) => one[metric])),
          );
          const ratio = Number((ours! / theirs!).toFixed(3));
          const comparison = `${few} partitions`;
          return {
            name: `keys over ${partitions} partitions: ${name}`,
            unit,
            ours: ours!,
            comparison,
            theirs: theirs!,
            ratio,
            parameters,
          };
        };
        return [
          row('CPU of main and network thread per record', 'us', 'cpuMicroseconds'),
          row('rate', 'records/s', 'recordsPerSecond'),
          row('records in a batch', 'records', 'recordsPerBatch'),
        ];
      });
    } finally {
      await client.close();
    }
  });
}

async function give(client: KafkaClient, topic: string): Promise<Measured> {
  const producer = await client.producer();
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await appendAll(producer, topic);
  await producer.flush();
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - startedAt) / 1000;
  const recordsPerBatch = producer.metrics()['producer-metrics']!['records-per-batch-avg']!;
  const { failed } = producer.counters;
  await producer.close();
  if (failed > 0) throw new Error(`${failed} records failed`);
  return { recordsPerSecond: records / seconds, cpuMicroseconds: (user + system) / records, recordsPerBatch };
}

async function appendAll(producer: Producer, topic: string): Promise<void> {
  for (let i = 0; i < records; ) {
    if (producer.append(topic, keys[i % keys.length]!, value)) i++;
    else await producer.ready(value.length * 64);
  }
}
