// Owns how this client is measured by requests that the application makes itself: Fetch and Produce. Main thread of a contender.

import { Calls, callsUnderWay, recordsPerCall } from '../calls.ts';
import { type OnRead, type Peer, type Place, valuesOf, type WriteSettings } from '../peer.ts';
import type { Library } from '../published.ts';
import { optionsOf, readInPlace } from './ours.ts';

const defaultMaxBytes = 1 << 20;

/**
 * @param library  this client, or an older build of it
 * @param recycles  whether each response is given back by `recycle` after it was read
 */
export function ourRequests(library: Library, version: 'this' | 'older', recycles: boolean): Peer {
  return {
    version,
    compressions: ['gzip', 'snappy', 'lz4', 'zstd'],
    readsAgain: true,
    read: (place, { maxBytes, endOffset }, onRead) =>
      read(library, place, maxBytes ?? defaultMaxBytes, endOffset, recycles, onRead),
    ...(!recycles && { write: (place, settings) => write(library, place, settings) }),
  };
}

async function start({ KafkaClient }: Library, place: Place) {
  const client = await KafkaClient.start(optionsOf(place));
  await client.setTopics([place.topic]);
  const topicId = client.cluster.topicId(place.topic)!;
  const node = client.cluster.leaderForPartition({ topic: place.topic, partition: 0 })!;
  await client.awaitReady(node);
  return { client, topicId, node };
}

async function read(
  library: Library,
  place: Place,
  maxBytes: number,
  endOffset: number,
  recycles: boolean,
  onRead: OnRead,
) {
  const { errorFor, Fetch } = library;
  const { client, topicId, node } = await start(library, place);
  let isClosed = false;
  const next = (partition: number, fetchOffset: number): void => {
    const partitions = [{ partition, fetchOffset, partitionMaxBytes: maxBytes }];
    client
      .send(node, Fetch, { maxWaitMs: 100, minBytes: 1, maxBytes, topics: [{ topicId, partitions }] })
      .addCallback((response) => {
        const { errorCode, records } = response.responses.at(0).partitions.at(0);
        if (errorCode !== 0 || records.error !== null) throw records.error ?? errorFor(errorCode)!;
        const { valueBytes, sum } = readInPlace(records.cursor());
        const count = records.length;
        const offset = records.nextOffset.toNumber();
        if (recycles) client.recycle(response);
        onRead(partition, offset - 1, count, valueBytes, sum);
        if (!isClosed) next(partition, offset >= endOffset ? 0 : offset);
      })
      .addErrback((error) => {
        if (!isClosed) throw error;
      });
  };
  for (let partition = 0; partition < place.partitions; partition++) next(partition, 0);
  return {
    settings: `a Fetch of ${maxBytes} bytes under way for each partition; cursor in place${recycles ? ', recycle' : ''}`,
    async close() {
      isClosed = true;
      await client.close();
    },
  };
}

async function write(library: Library, place: Place, { valueBytes, acks, compression }: WriteSettings) {
  const { errorFor, Produce } = library;
  const { client, topicId, node } = await start(library, place);
  const values = valuesOf(valueBytes);
  const chunk = recordsPerCall(valueBytes);
  const list = Array.from({ length: chunk }, (_, i) => ({ value: values[i & 255]! }));
  const calls = new Calls();
  let index = 0;
  return {
    settings: `acks ${acks}, ${chunk} records a Produce, ${callsUnderWay} under way`,
    chunk,
    async give() {
      const records = compression === 'none' ? list : { records: list, compression };
      const partitionData = [{ index: index++ % place.partitions, records }];
      await calls.add(async () => {
        const request = { acks, timeoutMs: 30_000, topicData: [{ name: place.topic, topicId, partitionData }] };
        const { responses } = await client.send(node, Produce, request);
        const error = errorFor(responses.at(0).partitionResponses.at(0).errorCode);
        if (error !== null) throw error;
      });
    },
    settled: () => calls.settled(),
    close: () => client.close(),
  };
}
