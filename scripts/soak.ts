// A long run against an embedded cluster with random faults: a producer, a consumer in a group, requests, clients that come and go,
// and a main thread that is often blocked. Ends with one line of JSON; exit code 1 when a rule was broken.
//   npm run soak -- --minutes 10 --seed 7 [--svg FILE] [--corrupt]
// Rules: no acknowledged record is lost, no record is in the log twice or out of order, every request settles, memory does not grow. With
// --corrupt bytes are changed on the way, which TCP would notice: then only errors, requests and memory are judged.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
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
import { Ledger } from './soak/ledger.ts';
import { sample, slopeOf } from './soak/memory.ts';
import { type Moment, pictureOf } from './soak/picture.ts';

const topic = 'soak';
const partitions = 4;
const recordsPerSecond = 2000;
const sampleEveryMs = 2000;
const settleMs = 60_000;
/** Memory grows if the lower end of the slope's interval is above this. */
const maxGrowthMiBPerHour = 1;
/** The number of samples in ten minutes. Shorter runs are not judged. */
const minJudgedSamples = 300;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    svg: { type: 'string' },
    corrupt: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error('--minutes takes a number above 0, --seed an integer');

const random = seededRandom(seed ^ 0x5f356495);
let warnings = 0;
/** The number of errors, by code. */
const errors: Record<string, number> = {};
const settings = { requestTimeoutMs: 6000, reconnectBackoffMaxMs: 1000, logger: countingLogger() } as const;
const tally = { accepted: 0, succeeded: 0, failed: 0, untyped: 0, clients: 0, blockedMs: 0 };
const ledger = new Ledger(partitions);
const moments: Moment[] = [];
process.on('unhandledRejection', (reason) => {
  tally.untyped++;
  process.stderr.write(`unhandled: ${String(reason)}\n`);
});

const network = await startNetwork();
const startedAt = performance.now();
const endAt = startedAt + minutes * 60_000;
const isOver = (): boolean => performance.now() >= endAt;
const { bootstrapServers } = network;
const client = await startClient();
const producer = await client.producer({ requestTimeoutMs: 6000, deliveryTimeoutMs: 30_000 });
const consumer = await client.consumer({ groupId: 'soak', topics: [topic], autoOffsetReset: 'earliest' });
consumer.on('error', (error) => judge(error));
const reading = read(consumer);
await Promise.all([write(producer), requests(client), comeAndGo(), block(), watch()]);
await producer.flush(settleMs);
const settledBy = performance.now() + settleMs;
while (ledger.missing > 0 && performance.now() < settledBy) await delay(100);
await consumer.close();
await reading;
await client.close();
const faults = await network.stop();
report();

function report(): void {
  const open = tally.accepted - tally.succeeded - tally.failed;
  const rss = slopeOf(moments, ({ rssMiB }) => rssMiB);
  const heap = slopeOf(moments, ({ heapMiB }) => heapMiB);
  const { acknowledged, missing: lost, doubled, reordered, redelivered, firstReordered } = ledger;
  // A short run is only warm-up. Its slope is printed but not judged.
  const isFlat = moments.length < minJudgedSamples || rss.mibPerHour - rss.plusMinus <= maxGrowthMiBPerHour;
  // Few fields of requests and answers have a checksum: a changed offset leads a reader elsewhere.
  const misplaced = values.corrupt ? 0 : lost + doubled + reordered;
  const ok = misplaced + open + tally.untyped === 0 && isFlat && acknowledged > 0;
  const records = { acknowledged, lost, doubled, reordered, redelivered, firstReordered };
  const memory = { rssMiBPerHour: rss, heapMiBPerHour: heap, lastRssMiB: moments.at(-1)?.rssMiB };
  if (values.svg !== undefined) writeFileSync(values.svg, pictureOf(moments));
  process.stdout.write(
    `${JSON.stringify({ soak: minutes, seed, ...records, ...tally, open, ...memory, faults, errors, warnings, ok })}\n`,
  );
  if (!ok) process.exitCode = 1;
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
  const child = spawn(
    process.execPath,
    [file, String(seed), topic, String(partitions), values.corrupt ? 'corrupt' : ''],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
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
      future.then(() => ledger.acknowledge(partition, n), judge);
    }
    await to.ready().then(undefined, judge);
    await delay(50);
  }
}

/** A byte that was changed on the way fails a checksum: the batch is asked for again. */
async function read(from: Consumer): Promise<void> {
  for (;;) {
    try {
      await readBatches(from);
      return;
    } catch (error) {
      judge(error);
      if (!(error instanceof CorruptBatchError) || error.recordOffset === null) throw error;
      const { topic: name, partition, recordOffset } = error;
      await from.seek({ topic: name!, partition: partition! }, recordOffset);
    }
  }
}

async function readBatches(from: Consumer): Promise<void> {
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

/** Starts and closes further clients, each with a few requests. Some are closed while requests are under way. */
async function comeAndGo(): Promise<void> {
  while (!isOver()) {
    const other = await startClient();
    const sent = other.cluster
      .brokers()
      .map(({ nodeId }) => other.send(nodeId, Metadata, { topics: null }).then(() => {}, judge));
    if (integer(random, 0, 1) === 0) await Promise.all(sent);
    await other.close();
    await Promise.all(sent);
    await delay(integer(random, 200, 2000));
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
    moments.push({ ...sample(startedAt), open, missing: ledger.missing });
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
