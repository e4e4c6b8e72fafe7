// Owns how each peer makes one Fetch of one partition over TLS, in the lowest of its layers that connects, decodes and returns records.
// The work of its consumer (groups, streams, an object for each record) is left out, in the peer's favour. Main thread of a contender.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface PeerFetchRun {
  readonly contender: '@platformatic/kafka' | 'kafkajs';
  /** The folder with the peers' node_modules. */
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly sslCaFile: string;
  readonly topic: string;
  /** The topic id with hyphens. */
  readonly topicId: string;
  readonly maxBytes: number;
}

export interface Fetched {
  readonly count: number;
  readonly valueBytes: number;
  /** The sum over the bytes that are read of each record. They are the same as in bench/macro/support/fetch-contender.ts. */
  readonly sum: number;
  readonly nextOffset: number;
}

export type FetchPartition = (partition: number, fetchOffset: number) => Promise<Fetched>;

const maxWaitMs = 100;
const minBytes = 1;

export function startFetcher(run: PeerFetchRun): Promise<FetchPartition> {
  return run.contender === 'kafkajs' ? startKafkajs(run) : startPlatformatic(run);
}

interface KafkajsMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer;
}
interface KafkajsBroker {
  connect(): Promise<void>;
  fetch(request: object): Promise<{
    responses: readonly { partitions: readonly { errorCode: number; messages: readonly KafkajsMessage[] }[] }[];
  }>;
}

async function startKafkajs(run: PeerFetchRun): Promise<FetchPartition> {
  const require = createRequire(join(run.folder, 'package.json'));
  const { host, port, topic, maxBytes } = run;
  const { createLogger, LEVELS } = require('kafkajs/src/loggers');
  const logger = createLogger({ level: LEVELS.NOTHING, logCreator: require('kafkajs/src/loggers/console') });
  const pools = require('kafkajs/src/cluster/connectionPoolBuilder')({
    logger,
    socketFactory: require('kafkajs/src/network/socketFactory')(),
    brokers: [`${host}:${port}`],
    ssl: { ca: [readFileSync(run.sslCaFile)] },
    clientId: 'bench',
    connectionTimeout: 10_000,
    requestTimeout: 30_000,
    enforceRequestTimeout: true,
  });
  const Broker = require('kafkajs/src/broker');
  const broker: KafkajsBroker = new Broker({ connectionPool: await pools.build({ host, port }), logger });
  await broker.connect();
  return async (partition, fetchOffset) => {
    const response = await broker.fetch({
      replicaId: -1,
      // Read uncommitted, as in all contenders.
      isolationLevel: 0,
      maxWaitTime: maxWaitMs,
      minBytes,
      maxBytes,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(fetchOffset), maxBytes }] }],
    });
    const { messages } = response.responses[0]!.partitions[0]!;
    let valueBytes = 0;
    let sum = 0;
    let last = fetchOffset - 1;
    for (const { offset, timestamp, key, value } of messages) {
      last = Number(offset);
      sum += last + Number(timestamp);
      if (key !== null && key.length > 0) sum += key[0]!;
      sum += value[0]! + value[value.length - 1]!;
      valueBytes += value.length;
    }
    return { count: messages.length, valueBytes, sum, nextOffset: last + 1 };
  };
}

interface PlatformaticBatch {
  readonly firstOffset: bigint;
  readonly firstTimestamp: bigint;
  readonly records: readonly {
    readonly offsetDelta: number;
    readonly timestampDelta: bigint;
    readonly key: Buffer | null;
    readonly value: Buffer;
  }[];
}
type PlatformaticResponse = {
  responses: readonly { partitions: readonly { records: PlatformaticBatch[] | null }[] }[];
};
type Done<T> = (error: Error | null, result: T) => void;
interface PlatformaticConnection {
  connect(host: string, port: number): Promise<void>;
}
interface PlatformaticModule {
  readonly Connection: new (clientId: string, options: object) => PlatformaticConnection;
  readonly fetchV17: {
    api(
      connection: PlatformaticConnection,
      ...request: [...(number | object | string)[], Done<PlatformaticResponse>]
    ): void;
  };
}

async function startPlatformatic(run: PeerFetchRun): Promise<FetchPartition> {
  const require = createRequire(join(run.folder, 'package.json'));
  const path = pathToFileURL(require.resolve('@platformatic/kafka')).href;
  const { Connection, fetchV17 } = (await import(path)) as PlatformaticModule;
  const connection = new Connection('bench', { tls: { ca: [readFileSync(run.sslCaFile)] } });
  await connection.connect(run.host, run.port);
  const { topicId, maxBytes } = run;
  const fetched = (partition: number, fetchOffset: number): Promise<PlatformaticResponse> =>
    new Promise((resolve, reject) => {
      const place = { partition, fetchOffset: BigInt(fetchOffset), currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
      const topics = [{ topicId, partitions: [{ ...place, partitionMaxBytes: maxBytes }] }];
      const done: Done<PlatformaticResponse> = (error, result) => (error === null ? resolve(result) : reject(error));
      // Read uncommitted, no fetch session, no forgotten topics, no rack.
      fetchV17.api(connection, maxWaitMs, minBytes, maxBytes, 0, 0, -1, topics, [], '', done);
    });
  return async (partition, fetchOffset) => {
    const batches = (await fetched(partition, fetchOffset)).responses[0]!.partitions[0]!.records ?? [];
    let count = 0;
    let valueBytes = 0;
    let sum = 0;
    let last = fetchOffset - 1;
    for (const batch of batches) {
      const first = Number(batch.firstOffset);
      const firstTimestamp = Number(batch.firstTimestamp);
      for (const { offsetDelta, timestampDelta, key, value } of batch.records) {
        last = first + offsetDelta;
        sum += last + firstTimestamp + Number(timestampDelta);
        if (key !== null && key.length > 0) sum += key[0]!;
        sum += value[0]! + value[value.length - 1]!;
        valueBytes += value.length;
        count++;
      }
    }
    return { count, valueBytes, sum, nextOffset: last + 1 };
  };
}
