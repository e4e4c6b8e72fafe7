// A long run against an embedded cluster with random faults: a producer, a consumer of each group protocol, requests, clients with roles that
// come and go or whose network thread is killed, and a main thread that is often blocked. Ends with one line of JSON; exit code 1 when a rule was broken.
//   npm run soak -- --minutes 10 --seed 7 [--svg FILE] [--no-corrupt | --corrupt-any]
// Every minute it comes to rest: no load, no faults, other clients closed, everything read. Then memory is measured. It runs without source
// maps: Node keeps those of each file that a stack trace names, which would be growth.
// In the first third faults and clients come four times as often, because V8 compiles what runs rarely only after it ran often.
// Rules: no acknowledged record is lost, no record is in the log twice or out of order, every request settles, memory does not grow (scripts/soak/memory-verdict.ts), and
// at each rest both groups have read everything within a minute.
// Among the faults are changed bytes of batches, which their checksums cover. With --corrupt-any any byte is changed, which only TCP
// would notice: a changed offset leads a reader elsewhere. Then only errors, requests and memory are judged.

import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
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
import { RunProgress } from './run-progress.ts';
import { CountingLog } from './soak/counting-log.ts';
import { Ledger } from './soak/ledger.ts';
import { sessionTimeoutMs, warmUpShare, warmUpSpeed } from './soak/limits.ts';
import { MemoryProbe } from './soak/memory.ts';
import { memoryVerdict } from './soak/memory-verdict.ts';
import { Moments, rested, watched } from './soak/moments.ts';
import { startNetworkProcess } from './soak/network-process.ts';
import { soakOptions } from './soak/options.ts';
import { pictureOf, textPictureOf } from './soak/picture.ts';
import { waitUntil } from './soak/until.ts';

const topic = 'soak';
const otherTopic = 'other';
const partitions = 4;
const recordsPerSecond = 2000;
const sampleEveryMs = 2000;
const settleMs = 60_000;
/** Between two rests. */
const [minPeriodMs, maxPeriodMs, periods] = [5000, 60_000, 12];
/** Of records that a group has not read, before its state is told: half a minute of records. */
const toldLag = 30 * recordsPerSecond;

const { minutes, seed, svg, corruption } = soakOptions();
const progress = await RunProgress.open();
const random = seededRandom(seed ^ 0x5f356495);
const log = new CountingLog();
const errors: Record<string, number> = {};
const settings = { requestTimeoutMs: 6000, reconnectBackoffMaxMs: 1000, metrics: true, logger: log } as const;
const tally = { accepted: 0, succeeded: 0, failed: 0, untyped: 0, clients: 0, vanished: 0, blockedMs: 0 };
/** The network thread of the client that was started last. */
let newestThread: Worker | null = null;
/** One for each group: both protocols read everything. */
const ledgers = { classic: new Ledger(partitions), consumer: new Ledger(partitions) };
const allLedgers = Object.values(ledgers);
const allMs = minutes * 60_000;
const periodMs = Math.min(maxPeriodMs, Math.max(minPeriodMs, allMs / periods));
const moments = new Moments(watched, Math.ceil((2 * allMs) / sampleEveryMs) + 10);
const rests = new Moments(rested, Math.ceil(allMs / periodMs) + 10);
const probe = new MemoryProbe();
/** Numbers of the next records, by partition. */
const nextNumbers = Array.from({ length: partitions }, () => 0);
const lag = { classicRecords: 0, consumerRecords: 0, catchUpSeconds: 0, notCaughtUp: 0, notMeasured: 0 };
let waits = 0;
process.on('worker', (worker) => {
  newestThread = worker;
});
process.on('unhandledRejection', (reason) => {
  tally.untyped++;
  progress.say(`unhandled: ${String(reason)}`);
});

let isReadingOver = false;
const warmUpMs = allMs * warmUpShare;
const network = await startNetworkProcess([String(seed), topic, String(partitions), corruption, String(warmUpMs)]);
const startedAt = performance.now();
/** How many times as often as later clients come and go. */
const speed = (): number => (performance.now() < startedAt + warmUpMs ? warmUpSpeed : 1);
const endAt = startedAt + allMs;
let periodEnd = startedAt;
const isOver = (): boolean => performance.now() >= periodEnd;
const { bootstrapServers } = network;
const client = await startClient();
const producer = await client.producer({ requestTimeoutMs: 6000, deliveryTimeoutMs: 30_000 });
const consumers = await Promise.all([openConsumer(client, 'classic'), openConsumer(client, 'consumer')]);
const reading = Promise.all([read(consumers[0], ledgers.classic), read(consumers[1], ledgers.consumer)]);
const watching = watch();
progress.begin({ name: 'soak', limitMs: allMs, records: () => allLedgers[0]!.acknowledged });
while (performance.now() < endAt) {
  periodEnd = Math.min(endAt, performance.now() + periodMs);
  await Promise.all([write(producer), requests(client), comeAndGo(), block()]);
  await rest();
}
isReadingOver = true;
progress.begin({ name: 'close', limitMs: null });
await watching;
for (const consumer of consumers) await consumer.close();
await reading;
await producer.close();
await waitUntil(() => threadOpen() === 0, settleMs);
const threadOpenAtEnd = threadOpen();
await client.close();
const faults = await network.stop();
probe.close();
progress.end();
report();

/** Ends the faults, waits until nothing is under way, measures, and begins them again. */
async function rest(): Promise<void> {
  await network.calm();
  const beganAt = performance.now();
  await producer.flush(settleMs).then(undefined, judge);
  const isAtRest = await readAll();
  const catchUpSeconds = (performance.now() - beganAt) / 1000;
  lag.catchUpSeconds = Math.max(lag.catchUpSeconds, Math.round(catchUpSeconds * 10) / 10);
  // Whoever has caught up holds its last batch, which is large. The next one is small.
  if (isAtRest && (await readAll())) await measureAtRest(catchUpSeconds);
  else {
    lag.notCaughtUp++;
    tellLag(0);
    const left = `${missing()} records, ${openRequests()} requests, ${waits} waits for nodes`;
    progress.say(`no rest: ${left}\n${String(client.inspect())}`);
  }
  network.go();
}

/** Until nothing is under way. Each group needs its connections to all brokers for that, and has them when memory is measured. */
async function readAll(): Promise<boolean> {
  for (let partition = 0; partition < partitions; partition++) sendNext(producer, partition);
  await producer.flush(settleMs).then(undefined, judge);
  return waitUntil(() => missing() + openRequests() + waits === 0, settleMs);
}

async function measureAtRest(catchUpSeconds: number): Promise<void> {
  for (const each of allLedgers) each.trim();
  const memory = await probe.measure(async () => (await client.memory()).parts);
  if (memory === null) {
    lag.notMeasured++;
    return;
  }
  const { parts } = await client.memory();
  const seconds = (performance.now() - startedAt) / 1000;
  rests.push(seconds, { ...memory, catchUpSeconds });
  const held = Object.entries(parts).map(([name, { usedBytes }]) => [`held ${name}`, usedBytes / 2 ** 20] as const);
  const numbers = [...Object.entries({ ...memory, catchUpSeconds }), ...held];
  const text = numbers.map(([name, value]) => `${name} ${value.toFixed(2)}`).join(', ');
  progress.say(`rest at ${Math.round(seconds)} s: ${text}`);
}

function report(): void {
  const open = openRequests();
  const { isRight: isMemoryRight, ...memory } = memoryVerdict(rests, minutes);
  const acknowledged = allLedgers[0]!.acknowledged;
  const isLagRight = corruption === 'any' || lag.notCaughtUp === 0;
  const ok =
    broken() + open + threadOpenAtEnd === 0 && isMemoryRight && isLagRight && acknowledged > 0 && rests.length > 0;
  const records = {
    acknowledged,
    lost: missing(),
    doubled: sum(({ doubled }) => doubled),
    reordered: sum(({ reordered }) => reordered),
    redelivered: sum(({ redelivered }) => redelivered),
    firstReordered: allLedgers.map(({ firstReordered }) => firstReordered).find((first) => first !== null),
  };
  if (svg !== undefined) writeFileSync(svg, pictureOf([moments, rests]));
  progress.say(textPictureOf([moments, rests]));
  process.stdout.write(
    `${JSON.stringify({ soak: minutes, seed, corruption, ...records, ...tally, open, threadOpen: threadOpenAtEnd, lag, memory, faults, errors, warnings: log.warnings, ok })}\n`,
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

function openRequests(): number {
  return tally.accepted - tally.succeeded - tally.failed;
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
  const perTick = recordsPerSecond / 20;
  while (!isOver()) {
    for (let i = 0; i < perTick; i++) sendNext(to, integer(random, 0, partitions - 1));
    await to.ready().then(undefined, judge);
    await delay(50);
  }
}

function sendNext(to: Producer, partition: number): void {
  const n = nextNumbers[partition]!++;
  const value = `${partition}:${n}:${'x'.repeat(integer(random, 0, 200))}`;
  to.send(topic, { value }, { partition }).then(() => {
    for (const ledger of allLedgers) ledger.acknowledge(partition, n);
  }, judge);
}

async function openConsumer(from: KafkaClient, groupProtocol: 'classic' | 'consumer'): Promise<Consumer> {
  const session = groupProtocol === 'classic' ? { sessionTimeoutMs } : {};
  const options = { groupId: groupProtocol, groupProtocol, topics: [topic], ...session };
  const consumer = await from.consumer({ ...options, autoOffsetReset: 'earliest' });
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
        waits++;
        const isOverNow = () => waits--;
        through.awaitReady(nodeId, { timeoutMs: 1000 }).then(isOverNow, (error) => {
          isOverNow();
          judge(error);
        });
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
    if (withMember) work.push(readForAWhile(other, integer(random, 0, 2) === 0 ? newestThread : null));
    if (withMember || integer(random, 0, 1) === 0) await Promise.all(work);
    await other.close();
    await Promise.all(work);
    await delay(integer(random, 200, 2000) / speed());
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

/**
 * A member that the group gets and loses again.
 * @param killed its network thread, which is ended instead of the member: nothing is committed, nobody leaves the group. Null: it closes
 */
async function readForAWhile(through: KafkaClient, killed: Worker | null): Promise<void> {
  const protocol = integer(random, 0, 1) === 0 ? 'classic' : 'consumer';
  try {
    const member = await openConsumer(through, protocol);
    const over = delay(integer(random, 1000, 8000) / speed()).then(() =>
      killed === null ? member.close() : vanish(killed),
    );
    await Promise.all([read(member, ledgers[protocol]), over]);
  } catch (error) {
    judge(error);
  }
}

async function vanish(thread: Worker): Promise<void> {
  tally.vanished++;
  await thread.terminate();
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
  while (!isReadingOver) {
    await delay(sampleEveryMs);
    const seconds = (performance.now() - startedAt) / 1000;
    const [classicLag, consumerLag] = [ledgers.classic.missing, ledgers.consumer.missing];
    moments.push(seconds, { open: openRequests(), classicLag, consumerLag, broken: broken() });
    lag.classicRecords = Math.max(lag.classicRecords, classicLag);
    lag.consumerRecords = Math.max(lag.consumerRecords, consumerLag);
    if (Math.max(classicLag, consumerLag) > toldLag) tellLag(toldLag);
  }
}

/** Why do readers fall behind? Of those with a greater lag. */
function tellLag(least: number): void {
  const seconds = (performance.now() - startedAt) / 1000;
  for (const [i, [name, ledger]] of Object.entries(ledgers).entries()) {
    if (ledger.missing <= least) continue;
    const { group, assignment } = consumers[i]!;
    const assigned = assignment.map(({ partition }) => partition);
    progress.say(
      `lag at ${Math.round(seconds)} s: ${name} ${JSON.stringify({ missing: ledger.missingOf, assigned, group })}`,
    );
  }
}

/** Faults cause errors of this package. Any other error is a finding. */
function judge(error: unknown): void {
  if (error instanceof KafkaClientError && typeof error.code === 'string') {
    if (errors[error.code] === undefined) progress.say(`first of ${error.code}: ${error.message}`);
    errors[error.code] = (errors[error.code] ?? 0) + 1;
    return;
  }
  tally.untyped++;
  progress.say(`untyped: ${error instanceof Error ? error.stack : String(error)}`);
}
