// Owns how kafka-ts is measured. Its keys and values are strings. Main thread of a contender.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Calls, callsUnderWay, recordsPerCall } from '../calls.ts';
import { type Peer, type Place, valuesOf } from '../peer.ts';

interface Message {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: string | null;
  readonly value: string;
}
interface Client {
  createProducer(options: object): {
    send(messages: readonly object[]): Promise<void>;
    close(): Promise<void>;
  };
  startConsumer(options: object): Promise<{
    on(event: string, listener: (error: Error) => void): void;
    close(force?: boolean): Promise<void>;
  }>;
  createCluster(): {
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    sendRequest(api: unknown, request: object): Promise<unknown>;
  };
}
interface Module {
  createKafkaClient(options: object): Client;
  saslScramSha256(login: { username: string; password: string }): unknown;
  API: { METADATA: unknown };
}

export function load(folder: string): Peer {
  const require = createRequire(join(folder, 'package.json'));
  const module = require('kafka-ts') as Module;
  const { version } = require('kafka-ts/package.json') as { version: string };
  const clientOf = ({ bootstrapServer, security }: Place): Client => {
    const colon = bootstrapServer.lastIndexOf(':');
    const server = { host: bootstrapServer.slice(0, colon), port: Number(bootstrapServer.slice(colon + 1)) };
    return module.createKafkaClient({
      clientId: 'bench',
      bootstrapServers: [server],
      ...(security !== null && {
        ssl: { ca: [readFileSync(security.sslCaFile)] },
        sasl: module.saslScramSha256({ username: security.username, password: security.password }),
      }),
    });
  };
  return {
    version,
    // Its producer has no such option.
    compressions: [],
    async write(place, { valueBytes }) {
      const producer = clientOf(place).createProducer({ maxBatchSize: recordsPerCall(valueBytes) });
      const values = valuesOf(valueBytes).map((value) => value.toString('latin1'));
      const chunk = recordsPerCall(valueBytes);
      const calls = new Calls();
      const { topic } = place;
      return {
        settings: `acks all and idempotent (it has no other), strings, ${chunk} messages a call and a batch, ${callsUnderWay} calls under way`,
        chunk,
        async give() {
          const messages = Array.from({ length: chunk }, (_, n) => ({ topic, value: values[n & 255]! }));
          await calls.add(() => producer.send(messages));
        },
        settled: () => calls.settled(),
        close: () => producer.close(),
      };
    },
    async read(place, { groupId }, onRead, onError) {
      const onBatch = (messages: readonly Message[]): void => {
        // A batch may have records of several partitions.
        const lasts = new Map<number, number>();
        const counts = new Map<number, number>();
        let sum = 0;
        let valueBytes = 0;
        for (const { partition, offset, timestamp, key, value } of messages) {
          const last = Number(offset);
          sum += last + Number(timestamp) + value.charCodeAt(0) + value.charCodeAt(value.length - 1);
          if (key !== null && key.length > 0) sum += key.charCodeAt(0);
          valueBytes += value.length;
          lasts.set(partition, last);
          counts.set(partition, (counts.get(partition) ?? 0) + 1);
        }
        let rest = valueBytes;
        for (const [partition, last] of lasts) {
          onRead(partition, last, counts.get(partition)!, rest, sum | 0);
          rest = 0;
        }
      };
      const consumer = await clientOf(place).startConsumer({
        topics: [place.topic],
        groupId,
        fromBeginning: true,
        onBatch,
      });
      consumer.on('heartbeatError', onError);
      return { settings: 'all defaults, fromBeginning; onBatch, strings', close: () => consumer.close(true) };
    },
    async request(place) {
      const cluster = clientOf(place).createCluster();
      await cluster.connect();
      const request = {
        topics: [{ id: null, name: place.topic }],
        allowTopicAutoCreation: false,
        includeTopicAuthorizedOperations: false,
      };
      return {
        settings: 'Metadata by its cluster',
        request: () => cluster.sendRequest(module.API.METADATA, request),
        close: () => cluster.disconnect(),
      };
    },
  };
}
