// Owns how the requests of @platformatic/kafka are measured, the layer of it that is nearest to KafkaClient: a connection, and an encoder and a
// decoder for each request. The work of its consumer and producer is left out, in its favour. Main thread of a contender.

import { KafkaClient } from '../../../../src/index.ts';
import { Calls, callsUnderWay, recordsPerCall } from '../calls.ts';
import { type OnRead, type Peer, type Place, sumOf, valuesOf } from '../peer.ts';
import { optionsOf } from './ours.ts';
import { loadModule, securityOf } from './platformatic.ts';

interface Batch {
  readonly firstOffset: bigint;
  readonly firstTimestamp: bigint;
  readonly records: readonly {
    readonly offsetDelta: number;
    readonly timestampDelta: bigint;
    readonly key: Buffer | null;
    readonly value: Buffer;
  }[];
}
interface Fetched {
  responses: readonly { partitions: readonly { records: Batch[] | null }[] }[];
}
interface Connection {
  connect(host: string, port: number): Promise<void>;
  close(): Promise<void>;
}
type Done<T> = (error: Error | null, result: T) => void;
type Api<T> = { api(connection: Connection, ...request: [...unknown[], Done<T>]): void };
interface Module {
  readonly Connection: new (clientId: string, options: object) => Connection;
  readonly fetchV17: Api<Fetched>;
  readonly produceV11: Api<unknown>;
  readonly metadataV12: Api<unknown>;
}

const defaultMaxBytes = 1 << 20;
const maxWaitMs = 100;
const minBytes = 1;

export async function load(folder: string): Promise<Peer> {
  const { module, version } = await loadModule<Module>(folder);
  const connect = async (place: Place): Promise<Connection> => {
    const connection = new module.Connection('bench', securityOf(place));
    const colon = place.bootstrapServer.lastIndexOf(':');
    await connection.connect(place.bootstrapServer.slice(0, colon), Number(place.bootstrapServer.slice(colon + 1)));
    return connection;
  };
  const call = <T>(api: Api<T>, connection: Connection, ...request: unknown[]): Promise<T> =>
    new Promise((resolve, reject) => {
      api.api(connection, ...request, (error: Error | null, result: T) =>
        error === null ? resolve(result) : reject(error),
      );
    });
  return {
    version,
    compressions: ['gzip', 'snappy', 'lz4', 'zstd'],
    readsAgain: true,
    async read(place, { endOffset, maxBytes: asked }, onRead, onError) {
      const maxBytes = asked ?? defaultMaxBytes;
      const topicId = await topicIdOf(place);
      const connection = await connect(place);
      let isClosed = false;
      const readRoundAndRound = async (partition: number): Promise<void> => {
        for (let offset = 0; !isClosed; ) {
          const at = { partition, fetchOffset: BigInt(offset), currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
          const topics = [{ topicId, partitions: [{ ...at, partitionMaxBytes: maxBytes }] }];
          // Read uncommitted, no fetch session, no forgotten topics, no rack.
          const request = [maxWaitMs, minBytes, maxBytes, 0, 0, -1, topics, [], ''];
          const response = await call(module.fetchV17, connection, ...request);
          const next = taken(response.responses[0]!.partitions[0]!.records ?? [], partition, offset, onRead);
          offset = next >= endOffset ? 0 : next;
        }
      };
      for (let partition = 0; partition < place.partitions; partition++) {
        readRoundAndRound(partition).catch((error) => {
          if (!isClosed) onError(error);
        });
      }
      return {
        settings: `a Fetch of ${maxBytes} bytes under way for each partition`,
        async close() {
          isClosed = true;
          await connection.close();
        },
      };
    },
    async write(place, { valueBytes, acks, compression }) {
      const connection = await connect(place);
      const values = valuesOf(valueBytes);
      const chunk = recordsPerCall(valueBytes);
      const calls = new Calls();
      let index = 0;
      const { topic } = place;
      return {
        settings: `acks ${acks}, ${chunk} records a Produce, ${callsUnderWay} under way`,
        chunk,
        async give() {
          const partition = index++ % place.partitions;
          const messages = Array.from({ length: chunk }, (_, n) => ({ topic, partition, value: values[n & 255]! }));
          const options = compression === 'none' ? {} : { compression };
          await calls.add(() => call(module.produceV11, connection, acks, 30_000, messages, options));
        },
        settled: () => calls.settled(),
        close: () => connection.close(),
      };
    },
    async request(place) {
      const connection = await connect(place);
      return {
        settings: 'Metadata version 12 on a connection',
        request: () => call(module.metadataV12, connection, [place.topic], false, false),
        close: () => connection.close(),
      };
    },
  };
}

/** With hyphens, as it wants it. */
async function topicIdOf(place: Place): Promise<string> {
  const client = await KafkaClient.start(optionsOf(place));
  await client.setTopics([place.topic]);
  const hex = Buffer.from(client.cluster.topicId(place.topic)!, 'base64url').toString('hex');
  await client.close();
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Reads all records. Returns the next offset. */
function taken(batches: readonly Batch[], partition: number, offset: number, onRead: OnRead): number {
  let count = 0;
  let valueBytes = 0;
  let sum = 0;
  let last = offset - 1;
  for (const batch of batches) {
    const first = Number(batch.firstOffset);
    const firstTimestamp = Number(batch.firstTimestamp);
    for (const { offsetDelta, timestampDelta, key, value } of batch.records) {
      last = first + offsetDelta;
      sum += sumOf(last, firstTimestamp + Number(timestampDelta), key, value);
      valueBytes += value.length;
      count++;
    }
  }
  if (count > 0) onRead(partition, last, count, valueBytes, sum | 0);
  return last + 1;
}
