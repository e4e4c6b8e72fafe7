// Measures how costs grow with the size of records, partitions, brokers, requests in flight, the size of a fetch, and attached threads. Each figure is a
// point of a plot in the report; docs/performance-growth.md explains the bends.
//   npm run bench:peers -- growth

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startEmbeddedBroker } from '../../test/helpers/embedded-broker.ts';
import type { BenchRow, MissingRow } from '../support/rows.ts';
import { besides } from './support/contender.ts';
import {
  isQuick,
  measure,
  notInTime,
  rounded,
  rounds,
  roundsNow,
  type Stage,
  someOf,
  type Workload,
} from './support/harness.ts';
import type { PeerName } from './support/registry.ts';
import { type BrokerStage, brokerStage, withFilled, withWritten } from './support/stage.ts';
import type { ThreadsClient, ThreadsResult, ThreadsRun } from './support/threads-run.ts';

type Row = BenchRow | MissingRow;

const mostRounds = 1;
const clients: readonly PeerName[] = ['this client', '@platformatic/kafka'];
const requests: readonly PeerName[] = ["this client's Fetch and Produce", "@platformatic/kafka's Fetch and Produce"];
const topicBytes = isQuick ? 100e6 : 400e6;
const runTimeoutMs = 180_000;

const recordBytes = isQuick ? [100, 100_000] : [10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];
const partitionCounts = isQuick ? [1, 100] : [1, 10, 100, 1000, 10_000];
const brokerCounts = isQuick ? [1, 50] : [1, 10, 50, 200];
const inFlight = someOf([1, 10, 100, 1000, 10_000]);
const fetchBytes = someOf([16_384, 65_536, 262_144, 1 << 20, 4 << 20, 16 << 20]);
const threadCounts = someOf([1, 2, 4, 8, 16]);

export async function* run(): AsyncGenerator<Row> {
  const stage = await brokerStage();
  yield* byRecordSize(stage);
  yield* byPartitions(stage);
  yield* byBrokers(stage);
  yield* byRequestsInFlight(stage);
  yield* byFetchSize(stage);
  yield* byThreads(stage);
}

async function* byRecordSize(stage: BrokerStage): AsyncGenerator<Row> {
  const partitions = 4;
  for (const valueBytes of recordBytes) {
    const scale = { axis: 'bytes of a record', x: valueBytes };
    const endOffset = Math.min(300_000, Math.max(8, Math.floor(topicBytes / valueBytes / partitions)));
    const shared = { valueBytes, partitions, peers: clients, scale, mostRounds };
    yield* withFilled(stage, { valueBytes, partitions, endOffset, isVaried: true }, (topic) =>
      measure(stage, { ...shared, endOffset, topic, work: 'read', name: `consume, records of ${valueBytes} B` }),
    );
    yield* withWritten(stage, partitions, (topic) =>
      measure(stage, { ...shared, topic, work: 'write', name: `produce, records of ${valueBytes} B` }),
    );
  }
}

/** Both ways for one number of partitions. */
async function* both(stage: Stage, partitions: number, scale: Workload['scale'], words: string): AsyncGenerator<Row> {
  const valueBytes = 100;
  const endOffset = Math.max(20, Math.floor(1_000_000 / partitions));
  const shared = { valueBytes, partitions, peers: clients, mostRounds, ...(scale && { scale }) };
  yield* withFilled(stage, { valueBytes, partitions, endOffset, isVaried: true }, (topic) =>
    measure(stage, { ...shared, endOffset, topic, work: 'read', name: `consume, ${words}` }),
  );
  yield* withWritten(stage, partitions, (topic) =>
    measure(stage, { ...shared, topic, work: 'write', name: `produce, ${words}` }),
  );
}

/** At the embedded broker, since a real one with ten thousand partitions measures its files. */
async function* byPartitions(stage: BrokerStage): AsyncGenerator<Row> {
  for (const partitions of partitionCounts) {
    const scale = { axis: 'partitions, embedded broker', x: partitions };
    yield* embedded(stage, 1, (place) => both(place, partitions, scale, `${partitions} partitions`));
  }
}

async function* byBrokers(stage: BrokerStage): AsyncGenerator<Row> {
  for (const brokers of brokerCounts) {
    const scale = { axis: 'brokers, embedded, 200 partitions', x: brokers };
    yield* embedded(stage, brokers, (place) => both(place, 200, scale, `${brokers} brokers`));
  }
}

async function* embedded(
  stage: BrokerStage,
  brokers: number,
  work: (place: Stage) => AsyncGenerator<Row>,
): AsyncGenerator<Row> {
  const broker = await startEmbeddedBroker({ nodes: brokers });
  try {
    const bootstrapServer = broker.bootstrapServers[0]!;
    yield* work({ ...stage, bootstrapServer, ownPids: [process.pid], description: 'embedded broker' });
  } finally {
    await broker.close();
  }
}

async function* byRequestsInFlight(stage: BrokerStage): AsyncGenerator<Row> {
  const peers: readonly PeerName[] = ['this client', "@platformatic/kafka's Fetch and Produce", 'bare socket'];
  yield* withWritten(stage, 1, async function* (topic) {
    for (const atOnce of inFlight) {
      const scale = { axis: 'small requests in flight', x: atOnce };
      const shared = { work: 'request', topic, partitions: 1, valueBytes: 0, peers, scale, mostRounds } as const;
      yield* measure(stage, { ...shared, atOnce, name: `requests, ${atOnce} in flight` });
    }
  });
}

async function* byFetchSize(stage: BrokerStage): AsyncGenerator<Row> {
  const filled = { valueBytes: 100, partitions: 4, endOffset: 800_000 };
  // Smaller than the smallest fetch.
  const batchBytes = 16_000;
  yield* withFilled(stage, { ...filled, batchBytes, isVaried: true }, async function* (topic) {
    for (const maxBytes of fetchBytes) {
      const scale = { axis: 'bytes of a fetch', x: maxBytes };
      const shared = { ...filled, topic, work: 'read', peers: requests, scale, mostRounds } as const;
      yield* measure(stage, { ...shared, maxBytes, name: `fetch, ${maxBytes} B a request` });
    }
  });
}

/** Threads that produce by one network thread, beside threads with a client each. */
async function* byThreads(stage: BrokerStage): AsyncGenerator<Row> {
  const partitions = 8;
  const compared: readonly ThreadsClient[] = ['attached', 'this client'];
  yield* withWritten(stage, partitions, async function* (topic) {
    for (const threads of threadCounts) {
      const results = new Map<ThreadsClient, ThreadsResult[]>(compared.map((client) => [client, []]));
      const most = roundsNow(Math.min(rounds, mostRounds));
      if (most === 0) {
        yield notInTime(`produce by threads, ${threads} threads`);
        continue;
      }
      for (let round = 0; round < most; round++) {
        for (const client of compared) {
          const { folder, bootstrapServer } = stage;
          const place = { folder, bootstrapServer, topic, partitions, security: null };
          const job: ThreadsRun = { ...place, valueBytes: 100, client, threads, records: 200_000, workPerRecord: 0 };
          const args = ['--enable-source-maps', '--expose-gc', besides('threads-contender'), JSON.stringify(job)];
          const options = { timeout: runTimeoutMs, killSignal: 'SIGKILL' } as const;
          const { stdout } = await promisify(execFile)(stage.node, args, options);
          results.get(client)!.push(JSON.parse(stdout) as ThreadsResult);
        }
      }
      const scale = { axis: 'threads', x: threads };
      const parameters = { client: 'attached', scale };
      const best = (client: ThreadsClient, of: (result: ThreadsResult) => number, pick: typeof Math.max): number =>
        rounded(pick(...results.get(client)!.map(of)));
      const metrics = [
        ['recordsPerSecond', 'records/s', ({ recordsPerSecond }: ThreadsResult) => recordsPerSecond, Math.max],
        ['cpuMicrosecondsPerRecord', 'us', (result: ThreadsResult) => result.cpuMicrosecondsPerRecord, Math.min],
        ['peakMiB', 'MiB', ({ rssMiB }: ThreadsResult) => rssMiB, Math.min],
      ] as const;
      for (const [metric, unit, of, pick] of metrics) {
        const [ours, theirs] = [best('attached', of, pick), best('this client', of, pick)];
        const shared = { unit, ours, theirs, ratio: rounded(ours / theirs), parameters };
        yield {
          ...shared,
          name: `produce by threads, ${threads} threads: ${metric}`,
          comparison: 'a client for each thread',
        };
      }
    }
  });
}
