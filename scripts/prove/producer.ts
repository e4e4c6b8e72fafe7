// Owns the proof of the producer: a real cluster of three brokers, faults drawn from a seed, and a checker in another process that reads
// everything back. Prints one JSON line; exit code 1 when anything was lost, doubled or out of order.
//   npm run prove -- producer --minutes 10 --seed 7 [--compression lz4] [--producers 4] [--transactions]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CreateTopics, KafkaClient, type Producer } from '../../src/index.ts';
import { type KafkaFixture, startKafka } from '../../test/kafka/fixture/index.ts';
import { randomOf } from './random.ts';

const partitions = 6;
const topic = 'proof';

const { values } = parseArgs({
  args: process.argv.slice(3),
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    compression: { type: 'string', default: 'none' },
    producers: { type: 'string', default: '1' },
    transactions: { type: 'boolean', default: false },
  },
});

/** One line of the ledger: who, which number, where, and `a`cknowledged, `f`ailed for certain, `?` failed and maybe written. */
type Note = (producer: number, n: number, partition: number, outcome: 'a' | 'f' | '?') => void;

interface Faults {
  kills: number;
  stalls: number;
  /** Times that the application thread was blocked. */
  blocks: number;
}

async function main(): Promise<number> {
  const seed = Number(values.seed);
  const random = randomOf(seed);
  const endAt = performance.now() + Number(values.minutes) * 60_000;
  const kafka = await startKafka({
    brokers: 3,
    extraProperties: {
      'min.insync.replicas': '2',
      'transaction.state.log.min.isr': '2',
      'unclean.leader.election.enable': 'false',
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'prove-producer-'));
  const ledgerFile = join(folder, 'ledger');
  try {
    await createTopic(kafka);
    const ledger = createWriteStream(ledgerFile);
    const note: Note = (...fields) => void ledger.write(`${fields.join(' ')}\n`);
    const faults: Faults = { kills: 0, stalls: 0, blocks: 0 };
    const stop = new AbortController();
    const trouble = makeTrouble(kafka, random, faults, stop.signal);
    const writers = Array.from({ length: Number(values.producers) }, (_, i) =>
      write(kafka, i, random, endAt, note, faults),
    );
    await Promise.all(writers);
    stop.abort();
    await trouble;
    ledger.end();
    await once(ledger, 'finish');
    const verdict = await check(kafka, ledgerFile);
    const { lost, doubled, reordered } = verdict;
    const isGood = lost === 0 && doubled === 0 && reordered === 0;
    const { minutes, compression, producers, transactions } = values;
    const line = { proof: 'producer', ...verdict, ...faults, seed, minutes, compression, producers, transactions };
    process.stdout.write(`${JSON.stringify({ ...line, kafka: kafka.version, ok: isGood })}\n`);
    return isGood ? 0 : 1;
  } finally {
    await kafka.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function createTopic(kafka: KafkaFixture): Promise<void> {
  await using client = await KafkaClient.start({
    bootstrapServers: kafka.bootstrapServers,
    apiVersionAutoTimeoutMs: 60_000,
  });
  const nodeId = client.leastLoadedNode()!;
  await client.awaitReady(nodeId);
  const wanted = { name: topic, numPartitions: partitions, replicationFactor: 3, assignments: [], configs: [] };
  const created = await client.send(nodeId, CreateTopics, { topics: [wanted], timeoutMs: 30_000 });
  if (created.topics.at(0).errorCode !== 0) throw new Error(`CreateTopics answered ${created.topics.at(0).errorCode}`);
}

/** One broker at a time: killed and started again, or stopped for a while. */
async function makeTrouble(
  kafka: KafkaFixture,
  random: (below: number) => number,
  faults: Faults,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await delay(1000 + random(4000), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const broker = kafka.brokers[random(kafka.brokers.length)]!;
    if (random(2) === 0) {
      faults.kills++;
      await broker.kill('SIGKILL');
      await delay(500 + random(2000));
      await broker.start();
    } else {
      faults.stalls++;
      process.kill(broker.pid!, 'SIGSTOP');
      await delay(200 + random(3000));
      process.kill(broker.pid!, 'SIGCONT');
    }
  }
}

/** Numbers of one producer, each to a partition of the producer's own order, until the time is over. */
async function write(
  kafka: KafkaFixture,
  index: number,
  random: (below: number) => number,
  endAt: number,
  note: Note,
  faults: Faults,
): Promise<void> {
  await using client = await KafkaClient.start({
    bootstrapServers: kafka.bootstrapServers,
    apiVersionAutoTimeoutMs: 60_000,
    closeTimeoutMs: 120_000,
  });
  const producer: Producer = await client.producer({
    compressionType: values.compression as 'none',
    requestTimeoutMs: 5000,
    deliveryTimeoutMs: 90_000,
    bufferMemoryBytes: 1024 * 1024,
    batchSizeBytes: 2000,
    ...(values.transactions && { transactionalId: `proof-${index}` }),
  });
  let n = 0;
  const send = async (to: Pick<Producer, 'send'>, count: number): Promise<[number, number, Promise<string>][]> => {
    const sent: [number, number, Promise<string>][] = [];
    for (let i = 0; i < count; i++) {
      while (
        await producer.ready(200).then(
          () => false,
          () => true,
        )
      );
      const number = n++;
      const partition = random(partitions);
      const value = `${index} ${number} ${'x'.repeat(random(100))}`;
      const outcome = to.send(topic, { value, partition }).then(
        () => 'a',
        (error: unknown) => ((error as { maybeWritten?: boolean }).maybeWritten === false ? 'f' : '?'),
      );
      sent.push([number, partition, outcome]);
    }
    return sent;
  };
  while (performance.now() < endAt) {
    const count = 50 + random(400);
    if (random(20) === 0) {
      faults.blocks++;
      const blockedUntil = performance.now() + random(500);
      while (performance.now() < blockedUntil);
    }
    if (!values.transactions) {
      for (const [number, partition, outcome] of await send(producer, count)) {
        outcome.then((what) => note(index, number, partition, what as 'a'));
      }
      continue;
    }
    let sent: [number, number, Promise<string>][] = [];
    let verdict: 'a' | 'f' | '?' = 'a';
    try {
      await producer.transaction(async (tx) => {
        sent = await send(tx, count);
        await Promise.all(sent.map(([, , outcome]) => outcome));
        if (random(5) === 0) throw new Error('aborted on purpose');
      });
    } catch (error) {
      verdict = (error as Error).message === 'aborted on purpose' ? 'f' : '?';
    }
    for (const [number, partition] of sent) note(index, number, partition, verdict);
  }
  await producer.flush();
  await producer.close();
}

interface Verdict {
  readonly acknowledged: number;
  readonly failed: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  /** Failed for certain, and there all the same. */
  readonly unexpected: number;
}

async function check(kafka: KafkaFixture, ledger: string): Promise<Verdict> {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const file = fileURLToPath(new URL(`./producer-checker${extension}`, import.meta.url));
  const child = spawn(process.execPath, ['--enable-source-maps', file, kafka.bootstrapServers.join(), topic, ledger], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`the checker ended with exit code ${code}`);
  return JSON.parse(out) as Verdict;
}

process.exitCode = await main();
