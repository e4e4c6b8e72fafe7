// Owns the proof of the producer: a real cluster of three brokers, faults drawn from a seed, and a checker in another process that reads
// everything back. At the end, Kafka's own console consumer reads everything, too. Prints one JSON line; exit code 1 when anything was
// lost, doubled or out of order, or when Kafka's consumer has read something else than the checker.
//   npm run prove -- producer --minutes 10 --seed 7 [--compression lz4] [--producers 4] [--threads 4] [--transactions | --transform]

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Option } from 'commander';
import { type Consumer, CreateTopics, KafkaClient, type Producer } from '../../src/index.ts';
import { type KafkaFixture, startKafka } from '../../test/kafka/fixture/index.ts';
import { integerFrom, type RandomRun, randomRunCommand } from '../arguments.ts';
import { RunProgress } from '../run-progress.ts';
import { checkProduced, isFaultless } from './producer-check.ts';
import type { ThreadMessage, ThreadTask } from './producer-thread.ts';
import { type Note, writeNumbers } from './producer-writer.ts';
import { randomOf } from './random.ts';
import { compareWithJava } from './reading.ts';

const partitions = 6;
const topic = 'proof';
/** With `--transform`: what is written here is read again, and written to the other topic in transactions. */
const sourceTopic = 'source';

const compressions = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

const values = randomRunCommand('npm run prove -- producer', 'No record is lost, doubled or out of order under faults.')
  .addOption(new Option('--compression <codec>', 'of the batches').choices(compressions).default('none'))
  .option('--producers <number>', 'how many', integerFrom(1), 1)
  .option('--threads <number>', 'attached threads that write, for each producer', integerFrom(0), 0)
  .option('--transactions', 'write in transactions', false)
  .option('--transform', 'read what is written and write it to another topic in transactions', false)
  .parse(process.argv.slice(3), { from: 'user' })
  .opts<
    RandomRun & {
      readonly compression: (typeof compressions)[number];
      readonly producers: number;
      readonly threads: number;
      readonly transactions: boolean;
      readonly transform: boolean;
    }
  >();

interface Faults {
  kills: number;
  stalls: number;
  /** Leaders that were moved while their broker was well. */
  moves: number;
  /** Times that the application thread was blocked. */
  blocks: number;
}

async function main(): Promise<number> {
  if (values.transactions && values.threads > 0)
    throw new Error('--transactions is not for --threads: a producer has one transaction at a time');
  const random = randomOf(values.seed);
  const progress = await RunProgress.open();
  progress.begin({ name: 'start', limitMs: null });
  const kafka = await startKafka({
    brokers: 3,
    startTimeoutMs: 300_000,
    extraProperties: {
      'min.insync.replicas': '2',
      'transaction.state.log.min.isr': '2',
      'unclean.leader.election.enable': 'false',
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'prove-producer-'));
  const ledgerFile = join(folder, 'ledger');
  try {
    await createTopics(kafka);
    // Counted from here: a cluster on a busy machine takes a minute to start.
    const endAt = Date.now() + values.minutes * 60_000;
    const ledger = createWriteStream(ledgerFile);
    let noted = 0;
    const note: Note = (...fields) => {
      noted++;
      ledger.write(`${fields.join(' ')}\n`);
    };
    progress.begin({ name: 'faults', limitMs: endAt - Date.now(), records: () => noted });
    const faults: Faults = { kills: 0, stalls: 0, moves: 0, blocks: 0 };
    const stop = new AbortController();
    const trouble = makeTrouble(kafka, random, faults, stop.signal);
    const writers = Array.from({ length: values.producers }, (_, i) => write(kafka, i, random, endAt, note, faults));
    const written = Promise.all(writers);
    if (values.transform) await transform(kafka, written, faults, random);
    await written;
    stop.abort();
    await trouble;
    ledger.end();
    await once(ledger, 'finish');
    progress.begin({ name: 'check', limitMs: null });
    const { verdict, readings } = await checkProduced(kafka.bootstrapServers, topic, ledgerFile);
    const java = await compareWithJava(kafka.bootstrapServers, topic, readings);
    progress.end();
    const isGood = isFaultless(verdict) && (typeof java === 'string' || java.agrees);
    const line = { proof: 'producer', ...verdict, java, ...faults, ...values };
    process.stdout.write(`${JSON.stringify({ ...line, kafka: kafka.version, ok: isGood })}\n`);
    return isGood ? 0 : 1;
  } finally {
    progress.stop();
    await kafka.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function createTopics(kafka: KafkaFixture): Promise<void> {
  await using client = await KafkaClient.start({
    bootstrapServers: kafka.bootstrapServers,
    apiVersionAutoTimeoutMs: 60_000,
  });
  const nodeId = client.leastLoadedNode()!;
  await client.awaitReady(nodeId);
  const wanted = [topic, sourceTopic].map((name) => {
    return { name, numPartitions: partitions, replicationFactor: 3, assignments: [], configs: [] };
  });
  const created = await client.send(nodeId, CreateTopics, { topics: wanted, timeoutMs: 30_000 });
  for (const { errorCode } of created.topics)
    if (errorCode !== 0) throw new Error(`CreateTopics answered ${errorCode}`);
}

/** One broker at a time: killed and started again, or stopped for a while; or leaders move. */
async function makeTrouble(
  kafka: KafkaFixture,
  random: (below: number) => number,
  faults: Faults,
  signal: AbortSignal,
): Promise<void> {
  await using client = await KafkaClient.start({
    bootstrapServers: kafka.bootstrapServers,
    apiVersionAutoTimeoutMs: 60_000,
  });
  while (!signal.aborted) {
    await delay(1000 + random(4000), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    if (random(3) === 0) {
      if (await moveLeaders(client, random)) faults.moves++;
      continue;
    }
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

/** The preferred leader of every partition becomes another one, and leads. Returns whether the cluster did so. */
async function moveLeaders(client: KafkaClient, random: (below: number) => number): Promise<boolean> {
  const ids = [1, 2, 3];
  const places = [topic, sourceTopic].flatMap((name) => {
    return Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition }));
  });
  const reassignments = places.map((place) => {
    const first = random(ids.length);
    return { ...place, replicas: [...ids.slice(first), ...ids.slice(0, first)] };
  });
  try {
    const admin = client.admin();
    await admin.alterPartitionReassignments(reassignments, { timeoutMs: 10_000 });
    const elected = await admin.electLeaders(places, { timeoutMs: 10_000 });
    return [...elected.values()].some(({ ok }) => ok);
  } catch {
    // A cluster in trouble moves nothing; the count of moves says so.
    return false;
  }
}

/** Reads the source, and writes what it reads in transactions, until all of it was read. */
async function transform(
  kafka: KafkaFixture,
  written: Promise<unknown>,
  faults: Faults,
  random: (below: number) => number,
): Promise<void> {
  await using client = await KafkaClient.start({
    bootstrapServers: kafka.bootstrapServers,
    apiVersionAutoTimeoutMs: 60_000,
    closeTimeoutMs: 120_000,
  });
  const open = () =>
    client.producer({
      transactionalId: 'transform',
      compressionType: values.compression,
      requestTimeoutMs: 5000,
    });
  const read = () =>
    client.consumer({
      groupId: 'transform',
      topics: [sourceTopic],
      autoOffsetReset: 'earliest',
      commit: 'manual',
      batchMaxBytes: 200_000,
    });
  let [producer, consumer] = [await open(), await read()];
  let isWritten = false;
  written.then(
    () => {
      isWritten = true;
    },
    () => {},
  );
  for (;;) {
    const batch = await consumer.poll(2000);
    if (batch === null) {
      if (isWritten && (await isAtEnd(consumer))) break;
      continue;
    }
    if (random(20) === 0) {
      faults.blocks++;
      const blockedUntil = performance.now() + random(500);
      while (performance.now() < blockedUntil);
    }
    try {
      await producer.transaction(async (tx) => {
        for (const record of batch) {
          while (!tx.append(topic, null, record.value, batch.partition)) await tx.ready();
        }
        await tx.sendOffsets(batch);
        if (random(10) === 0) throw new Error('aborted on purpose');
      });
      batch.done();
    } catch (error) {
      if ((error as Error).message === 'aborted on purpose') {
        batch.giveBack();
        continue;
      }
      // Nobody knows whether it was committed: the group does, and both begin anew where it says.
      await consumer.close();
      await producer.close({ timeoutMs: 10_000 });
      [producer, consumer] = [await open(), await read()];
    }
  }
  await consumer.close();
  await producer.close();
}

async function isAtEnd(consumer: Consumer): Promise<boolean> {
  const places = Array.from({ length: partitions }, (_, partition) => ({ topic: sourceTopic, partition }));
  const [ends, committed] = await Promise.all([consumer.endOffsets(places), consumer.committed(places)]);
  return ends.every((end, i) => end.isZero() || committed[i]?.offset.eq(end) === true);
}

function startClient(kafka: KafkaFixture): Promise<KafkaClient> {
  return KafkaClient.start({
    bootstrapServers: kafka.bootstrapServers,
    apiVersionAutoTimeoutMs: 60_000,
    closeTimeoutMs: 120_000,
  });
}

function openProducer(client: KafkaClient, index: number): Promise<Producer> {
  return client.producer({
    compressionType: values.compression,
    requestTimeoutMs: 5000,
    deliveryTimeoutMs: 90_000,
    bufferMemoryBytes: 1024 * 1024,
    batchSizeBytes: 2000,
    ...(values.transactions && { transactionalId: `proof-${index}` }),
  });
}

/** Numbers of one producer, until the time is over. With `--threads`, each of its threads writes numbers of its own. */
async function write(
  kafka: KafkaFixture,
  index: number,
  random: (below: number) => number,
  endAt: number,
  note: Note,
  faults: Faults,
): Promise<void> {
  await using client = await startClient(kafka);
  const producer = await openProducer(client, index);
  const { threads } = values;
  const task = { topic: values.transform ? sourceTopic : topic, partitions, endAt };
  if (threads === 0) {
    const writer = { ...task, index, inTransactions: values.transactions };
    faults.blocks += await writeNumbers(producer, writer, random, note);
  } else {
    const all = Array.from({ length: threads }, (_, i) => {
      const writer = {
        ...task,
        index: index * threads + i,
        seed: values.seed + 1000 * (index * threads + i + 1),
      };
      return writeInThread(producer, writer, note);
    });
    for (const blocks of await Promise.all(all)) faults.blocks += blocks;
  }
  await producer.flush();
  await producer.close();
}

/** Returns how often the thread was blocked. */
async function writeInThread(producer: Producer, task: ThreadTask, note: Note): Promise<number> {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const handle = producer.share();
  const worker = new Worker(new URL(`./producer-thread${extension}`, import.meta.url), {
    workerData: { handle, task },
    transferList: [...handle.transferList],
  });
  let blocks = 0;
  worker.on('message', (message: ThreadMessage) => {
    if (message.notes !== undefined) for (const each of message.notes) note(...each);
    else blocks = message.blocks;
  });
  const [code] = (await once(worker, 'exit')) as [number];
  if (code !== 0) throw new Error(`thread ${task.index} ended with exit code ${code}`);
  return blocks;
}

process.exitCode = await main();
