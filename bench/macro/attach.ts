// Measures what one more attached client costs: memory of the process and time. Many clients are attached in one thread, so that the memory
// of threads themselves, of which V8 keeps more or less at its discretion, is not part of it. The network thread is in the same process, so
// what it keeps for a client counts. Pages of rings that nobody has touched yet do not count.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { KafkaClient, Metadata, type Producer } from '../../src/index.ts';
import { startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import { type BenchRow, median } from '../support/rows.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const clients = 64;
/** They make the process take what it takes once. */
const clientsBefore = 16;
const goals = { memoryMiB: 3, attachMs: 20 } as const;
const MiB = 1024 * 1024;

interface Cost {
  readonly memoryMiB: number;
  readonly attachMs: number;
}

export async function run(): Promise<BenchRow[]> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const broker = await startEmbeddedBroker({ topics: { t: { partitions: 8 } } });
  try {
    const client = await KafkaClient.start({ bootstrapServers: broker.bootstrapServers });
    const { requestRingBytes, responseRingBytes } = client.config;
    await client.close();
    const rows: BenchRow[] = [];
    for (const withProducer of [false, true]) {
      const costs: Cost[] = [];
      for (let round = 0; round < rounds; round++)
        costs.push(await costOf(broker.bootstrapServers, withProducer, collect));
      const who = withProducer ? 'attached client with a producer that has sent a record' : 'attached client';
      const ringMiB = (requestRingBytes + responseRingBytes) / MiB;
      const parameters = { rounds, clients, ringMiB, all: costs };
      const add = (name: string, unit: string, ours: number, theirs: number): void => {
        const ratio = Number((ours / theirs).toPrecision(4));
        rows.push({ name, unit, ours: Number(ours.toPrecision(4)), comparison: 'the goal', theirs, ratio, parameters });
      };
      add(`goal: memory of one more ${who}`, 'MiB', median(costs.map(({ memoryMiB }) => memoryMiB)), goals.memoryMiB);
      if (!withProducer)
        add('goal: time of one more attach', 'ms', median(costs.map(({ attachMs }) => attachMs)), goals.attachMs);
    }
    return rows;
  } finally {
    await broker.close();
  }
}

async function costOf(bootstrapServers: readonly string[], withProducer: boolean, collect: () => void): Promise<Cost> {
  const client = await KafkaClient.start({ bootstrapServers: [...bootstrapServers] });
  // What nobody refers to would be collected.
  const open: (KafkaClient | Producer)[] = [];
  const attachTimes: number[] = [];
  const attachOne = async (): Promise<void> => {
    const from = performance.now();
    const attached = await KafkaClient.attach(client.share());
    attachTimes.push(performance.now() - from);
    open.push(attached);
    await attached.awaitReady(0);
    await attached.send(0, Metadata, { topics: [] });
    if (!withProducer) return;
    const producer = await attached.producer();
    open.push(producer);
    await producer.send('t', { value: 'x' });
  };
  const residentBytes = (): number => {
    for (let i = 0; i < 3; i++) collect();
    return process.memoryUsage.rss();
  };
  for (let i = 0; i < clientsBefore; i++) await attachOne();
  const before = residentBytes();
  for (let i = 0; i < clients; i++) await attachOne();
  const memoryMiB = (residentBytes() - before) / clients / MiB;
  await client.close();
  return { memoryMiB, attachMs: median(attachTimes.slice(clientsBefore)) };
}
