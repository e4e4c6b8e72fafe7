// Owns how the Producer and Consumer of @platformatic/kafka are measured. Main thread of a contender.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Calls, callsUnderWay, recordsPerCall } from '../calls.ts';
import { type Peer, type Place, sumOf, valuesOf } from '../peer.ts';

interface Message {
  readonly partition: number;
  readonly offset: bigint;
  readonly timestamp: bigint;
  readonly key: Buffer | null | undefined;
  readonly value: Buffer;
}
interface Stream {
  on(event: 'data', listener: (message: Message) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}
interface Producer {
  send(what: object): Promise<unknown>;
  close(): Promise<void>;
}
interface Consumer {
  consume(options: object): Promise<Stream>;
  close(force: boolean): Promise<void>;
}
interface Module {
  Producer: new (options: object) => Producer;
  Consumer: new (options: object) => Consumer;
}

/** By default it decodes ten times as much before it hands out the first record, which makes bursts of seconds. */
const partitionBytes = 1 << 20;

/** Its options for TLS and SCRAM. */
export function securityOf({ security }: Place): object {
  if (security === null) return {};
  const { sslCaFile, username, password } = security;
  return { tls: { ca: [readFileSync(sslCaFile)] }, sasl: { mechanism: 'SCRAM-SHA-256', username, password } };
}

export async function loadModule<T>(folder: string): Promise<{ module: T; version: string }> {
  const require = createRequire(join(folder, 'package.json'));
  const path = require.resolve('@platformatic/kafka');
  const { version } = require(join(path, '../../package.json')) as { version: string };
  return { module: (await import(pathToFileURL(path).href)) as T, version };
}

export async function load(folder: string): Promise<Peer> {
  const { module, version } = await loadModule<Module>(folder);
  const optionsOf = (place: Place) => ({
    clientId: 'bench',
    bootstrapBrokers: [place.bootstrapServer],
    ...securityOf(place),
  });
  return {
    version,
    compressions: ['gzip', 'snappy', 'lz4', 'zstd'],
    async write(place, { valueBytes, acks, compression }) {
      const producer = new module.Producer(optionsOf(place));
      const values = valuesOf(valueBytes);
      const chunk = recordsPerCall(valueBytes);
      const calls = new Calls();
      const { topic } = place;
      return {
        settings: `acks ${acks}, ${chunk} messages a call, ${callsUnderWay} calls under way, not idempotent (its default)`,
        chunk,
        async give() {
          const messages = Array.from({ length: chunk }, (_, n) => ({ topic, value: values[n & 255]! }));
          await calls.add(() => producer.send({ acks, compression, messages }));
        },
        settled: () => calls.settled(),
        close: () => producer.close(),
      };
    },
    async read(place, { groupId }, onRead, onError) {
      const consumer = new module.Consumer({ groupId, ...optionsOf(place) });
      const options = { topics: [place.topic], mode: 'earliest', autocommit: 1000, maxBytes: partitionBytes };
      const stream = await consumer.consume(options);
      stream.on('error', onError);
      stream.on('data', ({ partition, offset, timestamp, key, value }) => {
        onRead(partition, Number(offset), 1, value.length, sumOf(Number(offset), Number(timestamp), key, value) | 0);
      });
      const settings = `mode 'earliest', autocommit 1000, maxBytes ${partitionBytes}; 'data'`;
      return { settings, close: () => consumer.close(true) };
    },
  };
}
