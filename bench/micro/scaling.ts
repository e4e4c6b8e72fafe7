// Measures how work grows with the number of items: each row is the cost of one item among many against one among a few. A ratio of 1 means
// linear growth, a little more means n log n, and a ratio as large as that of the numbers means quadratic growth. What is measured is the time
// of the processor: on a busy machine a long run is interrupted more often than a short one, and by the clock that would look like growth.

import { parseConfig } from '../../src/common/config/config-parser.ts';
import { HeapMemory } from '../../src/common/memory.ts';
import { ClusterWriter } from '../../src/main/client/cluster-writer.ts';
import { Topics } from '../../src/main/client/topics.ts';
import { Future } from '../../src/main/link/future.ts';
import { InFlight } from '../../src/main/link/in-flight.ts';
import { NetworkProxy } from '../../src/main/link/network-proxy.ts';
import { Poller } from '../../src/main/link/poller.ts';
import { ResponseAdapter } from '../../src/main/link/response-adapter.ts';
import { FlatMessage } from '../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../src/protocol/flat/flat-writer.ts';
import { ListGroups, Metadata } from '../../src/protocol/flat/generated/apis.ts';
import { createAttachment } from '../../src/ring/attachment.ts';
import { createDoorbell } from '../../src/ring/doorbell.ts';
import { CountersWriter, createCounters, STATE_RUNNING } from '../../src/state/counters.ts';
import { LeaderEpochs } from '../../src/worker/client/leader-epochs.ts';
import { MetadataView } from '../../src/worker/client/metadata-view.ts';
import type { Node } from '../../src/worker/client/node.ts';
import { Nodes } from '../../src/worker/client/nodes.ts';
import { Readiness } from '../../src/worker/client/readiness.ts';
import { Attachments } from '../../src/worker/link/attachments.ts';
import { BlockedThreads } from '../../src/worker/link/blocked-threads.ts';
import { Events } from '../../src/worker/report/events.ts';
import { Log } from '../../src/worker/report/log.ts';
import { Metrics } from '../../src/worker/report/metrics-recorder.ts';
import { CodecPool } from '../../src/worker/requests/codec-pool.ts';
import { InFlightRequests } from '../../src/worker/requests/in-flight-requests.ts';
import type { InFlightRequest } from '../../src/worker/requests/request-owner.ts';
import { FakeThread } from '../../test/unit/main/support/fake-thread.ts';
import { type BenchRow, median } from '../support/rows.ts';

const rounds = Number(process.env.BENCH_ROUNDS ?? 15);
const growth = 8;

export async function run(): Promise<BenchRow[]> {
  return [
    await grown('awaitReady of one node, a turn each: per caller', 1000, awaitReady),
    await grown('addTopic in one turn: per topic', 1000, (count) => addTopics(count, false)),
    await grown('addTopic, a turn each: per topic', 1000, (count) => addTopics(count, true)),
    await grown('metadata with one stale partition: per topic', 2000, staleAnswer),
    await grown('1000 leaders named by topic id, less than 1 is good: per topic', 2000, leadersById),
    await grown('requests in flight on one connection: per request', 2000, inFlight),
    await grown('brokers that metadata names, and the choice of one: per node', 625, nodes),
    await grown('partitions in metadata, each leader read once: per partition', 25_000, partitions),
    await grown('poll(ms, future) at a time, answered one by one: per poll', 500, polls),
    await grown('attached threads, a round over all with work for one: per attachment', 64, attached),
  ];
}

/** Of all threads of this process, so that the collection of garbage counts. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** @param measure returns the ms of the processor for so many items */
async function grown(
  name: string,
  few: number,
  measure: (count: number) => number | Promise<number>,
): Promise<BenchRow> {
  const many = few * growth;
  const nanoseconds = async (count: number): Promise<number> => {
    const times: number[] = [];
    for (let round = -1; round < rounds; round++) {
      const ms = await measure(count);
      // The first compiles.
      if (round >= 0) times.push((ms * 1e6) / count);
    }
    return median(times);
  };
  const [ours, theirs] = [await nanoseconds(many), await nanoseconds(few)];
  return {
    name,
    unit: 'ns',
    ours: Math.round(ours),
    comparison: `of ${few} instead of ${many}`,
    theirs: Math.round(theirs),
    ratio: Number((ours / theirs).toFixed(2)),
    parameters: { few, many, rounds },
  };
}

async function awaitReady(callers: number): Promise<number> {
  let now = 0;
  const down = { id: 1, key: 1, isReady: false, connection: { lastError: null } };
  const readiness = new Readiness(
    { get: () => down, find: () => down } as unknown as Nodes,
    () => {},
    () => now,
    () => {},
  );
  const startedAt = cpuMs();
  const waits: Promise<unknown>[] = [];
  for (let i = 0; i < callers; i++) {
    waits.push(readiness.awaitReady(1, 1000).catch(() => {}));
    readiness.poll(now);
    now += 1 / 8;
  }
  // Half of them end one after another, the rest when the node is ready.
  for (now = 1000; now < 1000 + callers / 16; now += 1 / 8) readiness.poll(now);
  readiness.onNodeReady({
    id: 1,
    key: 1,
    hasRow: true,
    apiVersions: { ranges: new Map(), brokerVersion: [] },
  } as unknown as Node);
  await Promise.all(waits);
  return cpuMs() - startedAt;
}

/** Measures the application thread's work only: the time of a refresh itself grows with the number of topics in any case. */
async function addTopics(count: number, isTurnEach: boolean): Promise<number> {
  const { port1, port2 } = new MessageChannel();
  const post = (topics: readonly string[] | null): Promise<number> => {
    port1.postMessage(topics);
    return Promise.resolve(0);
  };
  const writer = new ClusterWriter([]);
  const topics = new Topics({
    retryBackoffMs: 100,
    dueInMs: () => 0,
    clusterWriter: () => writer,
    call: (run) => run({ addTopics: post, refreshMetadata: post } as never) as never,
    drain: () => {},
    untilProgress: () => Promise.resolve(),
    callbackThrew: () => {},
  });
  const startedAt = cpuMs();
  for (let i = 0; i < count; i++) {
    topics.add(`orders.region-${i}`);
    if (isTurnEach) await Promise.resolve();
  }
  await Promise.resolve();
  const ms = cpuMs() - startedAt;
  port1.close();
  port2.close();
  return ms;
}

interface Answer {
  readonly writer: FlatWriter;
  readonly message: FlatMessage;
}

/** @param epoch the leader epoch of the partition in the middle; the others have 5 */
function answerOf(topics: number, epoch: number): Answer {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  const partition = { partitionIndex: 0, leaderId: 0, replicaNodes: [0, 1, 2], isrNodes: [0, 1, 2] };
  Metadata.writeResponse(writer, {
    brokers: [{ nodeId: 0, host: 'broker', port: 9092 }],
    topics: Array.from({ length: topics }, (_, i) => ({
      name: `topic-${i}`,
      topicId: topicId(i),
      partitions: [{ ...partition, leaderEpoch: i === topics >> 1 ? epoch : 5 }],
    })),
  });
  return { writer, message: new FlatMessage({ ...memory, byteLength: writer.finish() }) };
}

function staleAnswer(topics: number): number {
  const epochs = new LeaderEpochs();
  epochs.update(Metadata.readResponse(answerOf(topics, 5).message));
  const { writer, message } = answerOf(topics, 4);
  const startedAt = cpuMs();
  epochs.update(Metadata.readResponse(message))!.apply(writer);
  return cpuMs() - startedAt;
}

function leadersById(topics: number): number {
  const epochs = new LeaderEpochs();
  epochs.update(Metadata.readResponse(answerOf(topics, 5).message));
  const leaders = Array.from({ length: 1000 }, (_, i) => ({
    topic: '',
    topicId: topicId((i * 7919) % topics),
    partition: 0,
    leaderId: 1,
    leaderEpoch: 6,
  }));
  const startedAt = cpuMs();
  epochs.learn({ brokers: [], leaders });
  return cpuMs() - startedAt;
}

function inFlight(count: number): number {
  const requests = new InFlightRequests();
  const startedAt = cpuMs();
  for (let i = 0; i < count; i++) {
    requests.add({ requestId: i, deadline: i, owner: { isInternal: false } } as unknown as InFlightRequest);
  }
  for (let i = 0; i < count; i++) requests.shift();
  return cpuMs() - startedAt;
}

/** What a refresh costs that names new brokers, then the same ones, and then looks for the one to ask next. */
function nodes(count: number): number {
  const config = parseConfig({ bootstrapServers: 'one:9092,two:9092' });
  const counters = new CountersWriter(createCounters(2 * count));
  const all = new Nodes(config, { counters, metrics: new Metrics(null, 0) }, () => 0.5);
  const brokers = Array.from({ length: count }, (_, id) => ({ id, host: `broker-${id}`, port: 9092 }));
  const startedAt = cpuMs();
  for (let i = 0; i < 3; i++) {
    all.update(brokers);
    all.leastLoaded(0);
    all.nextAttempt(0);
  }
  return cpuMs() - startedAt;
}

function partitions(count: number): number {
  const perTopic = 50;
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  const replicas = { replicaNodes: [0, 1, 2], isrNodes: [0, 1, 2] };
  Metadata.writeResponse(writer, {
    brokers: [0, 1, 2].map((nodeId) => ({ nodeId, host: 'broker', port: 9092 })),
    topics: Array.from({ length: count / perTopic }, (_, i) => ({
      name: `topic-${i}`,
      topicId: topicId(i),
      partitions: Array.from({ length: perTopic }, (_, partitionIndex) => ({
        ...replicas,
        partitionIndex,
        leaderId: partitionIndex % 3,
        leaderEpoch: 5,
      })),
    })),
  });
  const body = { ...memory, byteLength: writer.finish() };
  const view = new MetadataView({ onUpdate: () => {} } as never, () => {});
  const epochs = new LeaderEpochs();
  const startedAt = cpuMs();
  epochs.update(Metadata.readResponse(new FlatMessage(body)));
  view.update({ updateId: 1, body }, 0);
  let leaders = 0;
  for (let i = 0; i < count; i++)
    if ((view.leader(`topic-${Math.floor(i / perTopic)}`, i % perTopic)?.leaderId ?? -1) >= 0) leaders++;
  const ms = cpuMs() - startedAt;
  if (leaders !== count) throw new Error(`${leaders} leaders of ${count} partitions`);
  return ms;
}

async function polls(count: number): Promise<number> {
  const thread = new FakeThread();
  thread.counters.setState(STATE_RUNNING);
  const requests = new InFlight();
  const adapter = new ResponseAdapter(thread.application, requests, new ClusterWriter([{ host: 'b', port: 1 }]));
  const poller = new Poller(thread.application, new NetworkProxy(thread.application), adapter);
  adapter.onProgress = () => poller.onProgress();
  const futures = Array.from({ length: count }, (_, i) => {
    const future = new Future<unknown>();
    requests.add({ requestId: i + 1, nodeId: 1, api: ListGroups, future, expectsResponse: true });
    return future;
  });
  const startedAt = cpuMs();
  const waits = futures.map((future) => poller.poll(60_000, future, null));
  for (let i = 0; i < count; i++) {
    thread.respond(i + 1, ListGroups, { groups: [] });
    adapter.drain();
  }
  await Promise.all(waits);
  const ms = cpuMs() - startedAt;
  poller.close();
  adapter.close();
  thread.close();
  return ms;
}

/** The rounds of as many requests as there are attachments: each round asks every attachment whether it has work. */
function attached(count: number): number {
  const config = parseConfig({ requestRingBytes: 4096, responseRingBytes: 4096, spillBytes: 256 });
  const metrics = new Metrics(null, 0);
  const host = { onClusterHints: () => {}, onPooledThrottle: () => {}, onPooledFailure: () => {} };
  const blocked = new BlockedThreads(0, new Events(metrics, new Log('silent', () => {})));
  const all = new Attachments(config, new CodecPool(0, () => {}), host, metrics, blocked);
  const [doorbell, counters] = [createDoorbell(), createCounters()];
  const applications = Array.from({ length: count }, () => {
    const { application, handle } = createAttachment(config, doorbell, counters);
    all.add(handle);
    return application;
  });
  const rounds = 20;
  const startedAt = cpuMs();
  for (let i = 0; i < rounds; i++) {
    all.hasWork();
    all.flush(i);
    all.notify();
  }
  const ms = cpuMs() - startedAt;
  for (const application of applications) application.close();
  for (const { end } of all.all) end.close();
  return ms;
}

function topicId(number: number): string {
  const bytes = Buffer.alloc(16, 7);
  bytes.writeInt32BE(number, 12);
  return bytes.toString('base64url');
}
