// Owns how this client is measured by its Producer, Consumer and KafkaClient. Main thread of a contender.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type {
  Future,
  KafkaClient,
  KafkaClientOptions,
  Producer,
  ProducerOptions,
  RecordCursor,
} from '../../../../src/index.ts';
import {
  type OnError,
  type OnRead,
  type Peer,
  type Place,
  type RequestSettings,
  sumOf,
  valuesOf,
  type Writer,
  type WriteSettings,
} from '../peer.ts';
import type { Library } from '../published.ts';

export function optionsOf({ bootstrapServer, security }: Place): KafkaClientOptions {
  // A limit, which costs nothing: a start on a busy machine takes longer than an application would wait.
  const patient = { bootstrapServers: bootstrapServer, apiVersionAutoTimeoutMs: 60_000 };
  if (security === null) return patient;
  return {
    ...patient,
    securityProtocol: 'SASL_SSL',
    sslCaFile: security.sslCaFile,
    saslMechanism: 'SCRAM-SHA-256',
    saslPlainUsername: security.username,
    saslPlainPassword: security.password,
  };
}

const chunk = 1000;
/** After so long the event loop runs. */
const turnMs = 1;
/** More than a small request takes in the ring. */
const requestBytes = 1024;
/** The default of `maxInFlightRequestsPerConnection`. */
const defaultInFlight = 5;

/**
 * @param library  this client
 * @param makesBuffers  whether the reader has a Buffer for each key and value, instead of reading in place
 * @param recycles      whether it gives the memory of each batch back
 */
export function ours(library: Library, makesBuffers: boolean, recycles = false): Peer {
  return {
    version: 'this',
    compressions: ['gzip', 'snappy', 'lz4', 'zstd'],
    ...(!makesBuffers &&
      !recycles && {
        write: async (place, settings, onError) =>
          writeWith(await library.KafkaClient.start(optionsOf(place)), place.topic, settings, onError),
        request: (place, settings) => request(library, place, settings),
      }),
    read: (place, { groupId }, onRead, onError) =>
      read(library, place, groupId, { makesBuffers, recycles }, onRead, onError),
  };
}

export function producerOptions({ valueBytes, acks, compression }: WriteSettings): ProducerOptions {
  const largest =
    valueBytes > 500_000
      ? { maxRequestSizeBytes: 2 * valueBytes, bufferMemoryBytes: Math.max(32 << 20, 8 * valueBytes) }
      : {};
  return { acks, compressionType: compression, ...largest };
}

/** A producer of that client, which is closed with it. */
export async function writeWith(
  client: KafkaClient,
  topic: string,
  settings: WriteSettings,
  onError: OnError,
): Promise<Writer> {
  const writer = writerOf(await client.producer(producerOptions(settings)), topic, settings, onError);
  return {
    ...writer,
    async close() {
      await writer.close();
      await client.close();
    },
  };
}

export function writerOf(
  producer: Producer,
  topic: string,
  { valueBytes, acks, compression }: WriteSettings,
  onError: OnError,
): Writer {
  const values = valuesOf(valueBytes);
  const count = Math.max(1, Math.min(chunk, Math.floor(1_000_000 / valueBytes)));
  let turnAt = performance.now();
  producer.on('failure', ({ error }) => onError(error));
  return {
    settings: `acks ${acks}, compression ${compression}, else all defaults; append, and a turn of the event loop after each ms`,
    chunk: count,
    async give() {
      // As docs/producer.md advises. The others do the same: a call of a list, or 1,000 records, and then the event loop runs.
      if (performance.now() - turnAt >= turnMs) {
        await nextTurn();
        turnAt = performance.now();
      }
      for (let i = 0; i < count; i++) {
        const value = values[i & 255]!;
        while (!producer.append(topic, null, value)) {
          await producer.ready(Math.max(valueBytes, 64) * 64);
          turnAt = performance.now();
        }
      }
    },
    async settled() {
      const { failed, failures } = await producer.flush();
      if (failed > 0) throw failures[0]?.error ?? new Error(`${failed} records failed`);
    },
    async close() {
      await producer.close();
    },
  };
}

async function read(
  { Consumer }: Library,
  place: Place,
  groupId: string,
  { makesBuffers, recycles }: { readonly makesBuffers: boolean; readonly recycles: boolean },
  onRead: OnRead,
  onError: OnError,
) {
  // As the first program of docs/consumer.md.
  const options = { groupId, topics: [place.topic], autoOffsetReset: 'earliest' } as const;
  const consumer = await Consumer.start({ ...optionsOf(place), ...options });
  const take = makesBuffers ? readAsBuffers : readInPlace;
  const loop = async (): Promise<void> => {
    for await (const batch of consumer) {
      const { valueBytes, sum } = take(batch.cursor());
      onRead(batch.partition, batch.nextOffset.toNumber() - 1, batch.count, valueBytes, sum);
      if (recycles) batch.recycle();
    }
  };
  const ended = loop().catch(onError);
  return {
    settings: `all defaults, autoOffsetReset earliest; for await, cursor${makesBuffers ? ', key and value' : ' in place'}${recycles ? ', recycle' : ''}`,
    async close() {
      await consumer.close();
      await ended;
    },
  };
}

interface Sums {
  readonly valueBytes: number;
  readonly sum: number;
}

export function readInPlace(cursor: RecordCursor): Sums {
  const { bytes } = cursor;
  let sum = 0;
  let valueBytes = 0;
  while (cursor.next()) {
    sum += cursor.offsetLow + cursor.timestampLow;
    if (cursor.keyLength > 0) sum += bytes[cursor.keyOffset]!;
    const at = cursor.valueOffset;
    const length = cursor.valueLength;
    sum += bytes[at]! + bytes[at + length - 1]!;
    valueBytes += length;
  }
  return { valueBytes, sum: sum | 0 };
}

function readAsBuffers(cursor: RecordCursor): Sums {
  let sum = 0;
  let valueBytes = 0;
  while (cursor.next()) {
    const { key, value } = cursor;
    sum += sumOf(cursor.offsetLow, cursor.timestampLow, key, value!);
    valueBytes += value!.length;
  }
  return { valueBytes, sum: sum | 0 };
}

async function request({ KafkaClient, Metadata }: Library, place: Place, { atOnce }: RequestSettings) {
  const requestRingBytes = Math.max(1 << 20, atOnce * requestBytes);
  const room = { maxInFlightRequestsPerConnection: atOnce, requestRingBytes };
  const client = await KafkaClient.start({ ...optionsOf(place), ...(atOnce > defaultInFlight && room) });
  await client.setTopics([place.topic]);
  const node = client.cluster.brokers()[0]!.nodeId;
  await client.awaitReady(node);
  const send = () => client.send(node, Metadata, { topics: [{ name: place.topic }] }, { version: 1 });
  const untilDone = <T>(future: Future<T>): T => {
    while (!future.isDone) client.pollSync(1000, future);
    return future.value!;
  };
  return {
    settings: atOnce > defaultInFlight ? `${JSON.stringify(room)}; send` : 'all defaults; send',
    request: async () => (await send()).brokers.length,
    requestSync: () => void untilDone(send()).brokers.length,
    close: () => client.close(),
  };
}
