// A long run against an embedded cluster with random faults: a producer, a consumer of each group protocol, requests, clients with roles that
// come and go, and a main thread that is often blocked. Ends with one line of JSON; exit code 1 when a rule was broken.
//   npm run soak -- --minutes 10 --seed 7 [--svg FILE] [--no-corrupt | --corrupt-any]
// Rules: no acknowledged record is lost, no record is in the log twice or out of order, every request settles, memory does not grow.
// Among the faults are changed bytes of batches, which their checksums cover. With --corrupt-any any byte is changed, which only TCP
// would notice: a changed offset leads a reader elsewhere. Then only errors, requests and memory are judged.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  type Consumer,
  CorruptBatchError,
  FindCoordinator,
  KafkaClient,
  KafkaClientError,
  Metadata,
  type Producer,
} from '../src/index.ts';
import { integer, seededRandom } from '../test/fault/support/random.ts';
import { integerFrom, numberAbove, scriptCommand } from './arguments.ts';
import { Ledger } from './soak/ledger.ts';
import { measure, slopeOf, trendOf } from './soak/memory.ts';
import { Moments } from './soak/moments.ts';
import { pictureOf, textPictureOf } from './soak/picture.ts';

const topic = 'soak';
const otherTopic = 'other';
const partitions = 4;
const recordsPerSecond = 2000;
const sampleEveryMs = 2000;
const settleMs = 60_000;
const maxGrowthMiBPerHour = 1;
/** A shorter run is only warm-up: its slope is printed and not judged. */
const minJudgedMinutes = 10;

const values = scriptCommand('npm run soak --', 'Runs a producer and consumers for a long time under random faults.')
  .option('--minutes <number>', 'how long', numberAbove(0), 1)
  .option('--seed <number>', 'what the faults are drawn from', integerFrom(0), 1)
  .option('--svg <file>', 'write a picture of memory and progress')
  .option('--no-corrupt', 'change no bytes')
  .option('--corrupt-any', 'change any bytes, not only those that checksums cover', false)
  .parse()
  .opts<{
    readonly minutes: number;
    readonly seed: number;
    readonly svg?: string;
    readonly corrupt: boolean;
    readonly corruptAny: boolean;
  }>();
const { minutes, seed } = values;
const corruption = values.corruptAny ? 'any' : values.corrupt ? 'covered' : 'none';

const random = seededRandom(seed ^ 0x5f356495);
let warnings = 0;
/** The number of errors, by code. */
const errors: Record<string, number> = {};
const settings = {
  requestTimeoutMs: 6000,
  reconnectBackoffMaxMs: 1000,
  metrics: true,
  logger: countingLogger(),
} as const;
const tally = { accepted: 0, succeeded: 0, failed: 0, untyped: 0, clients: 0, blockedMs: 0 };
/** One for each group: both protocols read everything. */
const ledgers = { classic: new Ledger(partitions), consumer: new Ledger(partitions) };
const allLedgers = Object.values(ledgers);
const moments = new Moments(Math.ceil((minutes * 60_000) / sampleEveryMs) + 10);
process.on('unhandledRejection', (reason) => {
  tally.untyped++;
  process.stderr.write(`unhandled: ${String(reason)}\n`);
});

let isReadingOver = false;
const network = await startNetwork();
const startedAt = performance.now();
const endAt = startedAt + minutes * 60_000;
const isOver = (): boolean => performance.now() >= endAt;
const { bootstrapServers } = network;
const client = await startClient();
const producer = await client.producer({ requestTimeoutMs: 6000, deliveryTimeoutMs: 30_000 });
const consumers = await Promise.all([openConsumer(client, 'classic'), openConsumer(client, 'consumer')]);
const reading = Promise.all([read(consumers[0], ledgers.classic), read(consumers[1], ledgers.consumer)]);
await Promise.all([write(producer), requests(client), comeAndGo(), block(), watch()]);
await producer.flush(settleMs);
await waitUntil(() => missing() === 0);
isReadingOver = true;
for (const consumer of consumers) await consumer.close();
await reading;
await producer.close();
await waitUntil(() => threadOpen() === 0);
const threadOpenAtEnd = threadOpen();
await client.close();
const faults = await network.stop();
report();

function report(): void {
  const open = tally.accepted - tally.succeeded - tally.failed;
  const [rss, heap] = [
    slopeOf(moments.seconds, moments.values('rssMiB')),
    slopeOf(moments.seconds, moments.values('heapMiB')),
  ];
  const memoryIs = trendOf(rss, maxGrowthMiBPerHour);
  const isJudged = minutes >= minJudgedMinutes;
  const acknowledged = allLedgers[0]!.acknowledged;
  const ok = broken() + open + threadOpenAtEnd === 0 && (!isJudged || memoryIs !== 'grows') && acknowledged > 0;
  const records = {
    acknowledged,
    lost: missing(),
    doubled: sum(({ doubled }) => doubled),
    reordered: sum(({ reordered }) => reordered),
    redelivered: sum(({ redelivered }) => redelivered),
    firstReordered: allLedgers.map(({ firstReordered }) => firstReordered).find((first) => first !== null),
  };
  const memory = { rssMiBPerHour: rss, heapMiBPerHour: heap, memoryIs, lastRssMiB: moments.values('rssMiB').at(-1) };
  if (values.svg !== undefined) writeFileSync(values.svg, pictureOf(moments));
  process.stderr.write(`${textPictureOf(moments)}\n`);
  process.stdout.write(
    `${JSON.stringify({ soak: minutes, seed, corruption, ...records, ...tally, open, threadOpen: threadOpenAtEnd, ...memory, faults, errors, warnings, ok })}\n`,
  );
  if (!ok) process.exitCode = 1;
}

function sum(of: (ledger: Ledger) => number): number {
  return allLedgers.reduce((total, ledger) => total + of(ledger), 0);
}

/** Acknowledged, and not read by one of the groups. */
function missing(): number {
  return sum(({ missing: count }) => count);
}

/** What no run may have. Of changed offsets, only untyped errors are. */
function broken(): number {
  if (corruption === 'any') return tally.untyped;
  return tally.untyped + sum(({ doubled, reordered }) => doubled + reordered) + (isReadingOver ? missing() : 0);
}

/** Requests that the network thread has accepted and not settled. */
function threadOpen(): number {
  return client.metrics().metrics!['requests-open']!;
}

async function waitUntil(holds: () => boolean): Promise<void> {
  const until = performance.now() + settleMs;
  while (!holds() && performance.now() < until) await delay(100);
}

/** Counts log records, because the faults cause hundreds of them. */
function countingLogger() {
  const count = (): void => {
    warnings++;
  };
  const ignore = (): void => {};
  return { debug: ignore, info: ignore, warn: count, error: count };
}

interface Network {
  readonly bootstrapServers: readonly string[];
  stop(): Promise<unknown>;
}

async function startNetwork(): Promise<Network> {
  const file = fileURLToPath(
    new URL(`./soak/network${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  const child = spawn(process.execPath, [file, String(seed), topic, String(partitions), corruption], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const first = JSON.parse(String((await lines.next()).value)) as Pick<Network, 'bootstrapServers'>;
  return {
    ...first,
    stop: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      const last = JSON.parse(String((await lines.next()).value)) as { faults: unknown };
      await ended;
      return last.faults;
    },
  };
}

/** Tries until it succeeds, because the network may refuse connections at that time. */
async function startClient(): Promise<KafkaClient> {
  for (;;) {
    try {
      const started = await KafkaClient.start({ bootstrapServers: [...bootstrapServers], ...settings });
      tally.clients++;
      return started;
    } catch (error) {
      judge(error);
    }
  }
}

async function write(to: Producer): Promise<void> {
  const next = Array.from({ length: partitions }, () => 0);
  const perTick = recordsPerSecond / 20;
  while (!isOver()) {
    for (let i = 0; i < perTick; i++) {
      const partition = integer(random, 0, partitions - 1);
      const n = next[partition]!++;
      const future = to.send(
        topic,
        { value: `${partition}:${n}:${'x'.repeat(integer(random, 0, 200))}` },
        { partition },
      );
      future.then(() => {
        for (const ledger of allLedgers) ledger.acknowledge(partition, n);
      }, judge);
    }
    await to.ready().then(undefined, judge);
    await delay(50);
  }
}

async function openConsumer(from: KafkaClient, groupProtocol: 'classic' | 'consumer'): Promise<Consumer> {
  const consumer = await from.consumer({
    groupId: groupProtocol,
    groupProtocol,
    topics: [topic],
    autoOffsetReset: 'earliest',
  });
  consumer.on('error', (error) => judge(error));
  return consumer;
}

/** A byte that was changed on the way fails a checksum: the batch is asked for again. */
async function read(from: Consumer, ledger: Ledger): Promise<void> {
  for (;;) {
    try {
      await readBatches(from, ledger);
      return;
    } catch (error) {
      judge(error);
      if (!(error instanceof CorruptBatchError) || error.recordOffset === null) throw error;
      const { topic: name, partition, recordOffset } = error;
      // The partition may be another member's by now.
      await from.seek({ topic: name!, partition: partition! }, recordOffset).then(undefined, judge);
    }
  }
}

async function readBatches(from: Consumer, ledger: Ledger): Promise<void> {
  for await (const batch of from) {
    const cursor = batch.cursor();
    while (cursor.next()) {
      const [partition, n] = cursor.value!.toString().split(':', 2).map(Number);
      ledger.read(partition!, n!, cursor.offset);
    }
  }
}

async function requests(through: KafkaClient): Promise<void> {
  while (!isOver()) {
    for (const { nodeId } of through.cluster.brokers()) {
      if (!through.isReady(nodeId)) {
        through.awaitReady(nodeId, { timeoutMs: 1000 }).then(undefined, judge);
        continue;
      }
      const isMetadata = integer(random, 0, 1) === 0;
      tally.accepted++;
      const sent: PromiseLike<unknown> = isMetadata
        ? through.send(nodeId, Metadata, { topics: null })
        : through.send(nodeId, FindCoordinator, { keyType: 0, coordinatorKeys: ['soak'] });
      sent.then(
        () => tally.succeeded++,
        (error) => {
          tally.failed++;
          judge(error);
        },
      );
    }
    await delay(integer(random, 5, 100));
  }
}

/** Starts and closes further clients, each with a few requests. Some are closed while requests and records are under way. */
async function comeAndGo(): Promise<void> {
  while (!isOver()) {
    const other = await startClient();
    const [withMember, withProducer] = [integer(random, 0, 3) === 0, integer(random, 0, 1) === 0];
    const work = other.cluster
      .brokers()
      .map(({ nodeId }) => other.send(nodeId, Metadata, { topics: null }).then(() => {}, judge));
    if (withProducer) work.push(sendOther(other));
    if (withMember) work.push(readForAWhile(other));
    if (withMember || integer(random, 0, 1) === 0) await Promise.all(work);
    await other.close();
    await Promise.all(work);
    await delay(integer(random, 200, 2000));
  }
}

/** Records of another topic. Whether they arrive is not followed, only that each is settled. */
async function sendOther(through: KafkaClient): Promise<void> {
  try {
    const to = await through.producer({ requestTimeoutMs: 6000, deliveryTimeoutMs: 10_000 });
    const sent = Array.from({ length: 100 }, (_, n) => to.send(otherTopic, { value: `${n}` }));
    tally.accepted += sent.length;
    const settled = sent.map((future) =>
      future.then(
        () => tally.succeeded++,
        (error: unknown) => {
          tally.failed++;
          judge(error);
        },
      ),
    );
    await Promise.all(settled);
  } catch (error) {
    judge(error);
  }
}

/** A member that the group gets and loses again. */
async function readForAWhile(through: KafkaClient): Promise<void> {
  const protocol = integer(random, 0, 1) === 0 ? 'classic' : 'consumer';
  try {
    const member = await openConsumer(through, protocol);
    const over = delay(integer(random, 1000, 8000)).then(() => member.close());
    await Promise.all([read(member, ledgers[protocol]), over]);
  } catch (error) {
    judge(error);
  }
}

async function block(): Promise<void> {
  while (!isOver()) {
    await delay(integer(random, 100, 3000));
    const ms = integer(random, 0, 9) === 0 ? integer(random, 1000, 8000) : integer(random, 5, 300);
    const end = performance.now() + ms;
    while (performance.now() < end);
    tally.blockedMs += ms;
  }
}

async function watch(): Promise<void> {
  while (!isOver()) {
    await delay(sampleEveryMs);
    const open = tally.accepted - tally.succeeded - tally.failed;
    const seconds = (performance.now() - startedAt) / 1000;
    moments.push(seconds, { ...measure(), open, missing: missing(), broken: broken() });
  }
}

/** Faults cause errors of this package. Any other error is a finding. */
function judge(error: unknown): void {
  if (error instanceof KafkaClientError && typeof error.code === 'string') {
    if (errors[error.code] === undefined) process.stderr.write(`first of ${error.code}: ${error.message}\n`);
    errors[error.code] = (errors[error.code] ?? 0) + 1;
    return;
  }
  tally.untyped++;
  process.stderr.write(`untyped: ${error instanceof Error ? error.stack : String(error)}\n`);
}
