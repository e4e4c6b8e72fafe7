// Compares a bulk fetch over TLS with the peers: the same broker, listener, topic and requests. The clients run one after the other in
// rotated order, each in a process of its own. Main thread.
//   npm run bench:peers -- fetch-tls

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { KafkaClient } from '../../src/index.ts';
import type { FetchRun } from '../macro/support/fetch-contender.ts';
import type { FetchResult } from '../macro/support/fetch-meter.ts';
import { type TlsPlaces, withTlsBroker } from '../macro/support/tls-broker.ts';
import { fillTopic } from '../macro/support/topic.ts';
import type { BenchRow } from '../support/rows.ts';
import { besides, findPeers, type Peers } from './support/contender.ts';
import type { PeerFetchRun } from './support/fetchers.ts';
import { besidePeers } from './support/peer-rows.ts';
import { type Client, clients } from './support/producers.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const filled = { topic: `bench-fetch-tls-${process.pid}`, partitions: 4, valueBytes: 1024, endOffset: 60_000 };
const runTimeoutMs = 120_000;

interface Case {
  readonly name: string;
  readonly maxBytes: number;
  readonly busyMs: number;
  readonly records: number;
}
const cases: readonly Case[] = [
  { name: 'fetch 1 KiB over TLS', maxBytes: 1 << 20, busyMs: 0, records: 1_000_000 },
  // The next request is sent up to one block later, so each response must have enough records for a block.
  {
    name: 'fetch 1 KiB over TLS, 4 MiB a request, main thread 90 % busy in 20 ms blocks',
    maxBytes: 4 << 20,
    busyMs: 20,
    records: 150_000,
  },
];

export async function run(): Promise<BenchRow[]> {
  const peers = await findPeers();
  return withTlsBroker(async (places) => {
    const { plaintext } = places;
    const client = await KafkaClient.start({ bootstrapServers: `${plaintext.host}:${plaintext.port}` });
    await fillTopic(client, filled);
    const hex = Buffer.from(client.cluster.topicId(filled.topic)!, 'base64url').toString('hex');
    const topicId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    await client.close();
    const rows: BenchRow[] = [];
    for (const one of cases) rows.push(...(await measure(one, peers, places, topicId)));
    return rows;
  });
}

async function measure(one: Case, peers: Peers, places: TlsPlaces, topicId: string): Promise<BenchRow[]> {
  const results = new Map<Client, FetchResult[]>(clients.map((client) => [client, []]));
  // The first round is the broker's warm-up: Java compiles its encryption then.
  for (let round = -1; round < rounds; round++) {
    for (let i = 0; i < clients.length; i++) {
      const client = clients[(round + 1 + i) % clients.length]!;
      const result = await runOnce(client, one, peers, places, topicId);
      if (round >= 0) results.get(client)!.push(result);
    }
  }
  const row = (metric: keyof FetchResult, unit: string): BenchRow[] => {
    const figures = new Map([...results].map(([client, all]) => [client, all.map((result) => result[metric])]));
    return besidePeers(`${one.name}: ${metric}`, unit, figures, {
      broker: places.description,
      rounds,
      ...filled,
      ...one,
    });
  };
  return [
    ...row('recordsPerSecond', 'records/s'),
    ...row('megabytesPerSecond', 'MB/s'),
    ...row('mainThreadMicrosecondsPerRecord', 'us'),
  ];
}

async function runOnce(
  client: Client,
  { maxBytes, busyMs, records }: Case,
  { node, folder }: Peers,
  { tls }: TlsPlaces,
  topicId: string,
): Promise<FetchResult> {
  const common = { ...filled, ...tls, maxBytes, busyMs, records, warmUpRecords: records / 4 };
  const isOurs = client === 'this client';
  const job: FetchRun | PeerFetchRun = isOurs
    ? { ...common, contender: 'recycling' }
    : { ...common, contender: client, folder, topicId };
  const entry = isOurs ? besides('../macro/fetch-contender') : besides('fetch-contender');
  const { stdout } = await promisify(execFile)(node, ['--enable-source-maps', entry, JSON.stringify(job)], {
    timeout: runTimeoutMs,
    killSignal: 'SIGKILL',
  });
  return JSON.parse(stdout) as FetchResult;
}
