// Owns how four threads read one group: as one member of this client, or as four members of a peer, each with a client of its own. Main thread of a
// contender, and the threads that it starts.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { ConsumerHandle } from '../../../../src/index.ts';
import type { OnError, OnRead, Peer, Place, Reader, ReadSettings } from '../peer.ts';
import { published } from '../published.ts';
import { loadPeer, type NodePeer } from '../registry.ts';
import { optionsOf, readInPlace } from './ours.ts';

const threadCount = 4;

/** What a thread reads with: its part of our consumer, or a client of its own. */
type ThreadData =
  | { readonly handle: ConsumerHandle }
  | { readonly member: NodePeer; readonly place: Place; readonly settings: ReadSettings };
/** The arguments of `OnRead`, or an error. */
type Told = Parameters<OnRead>[] | { readonly error: string };

/** @param member the peer that each thread uses by itself; null: all threads are one member of ours */
export function fourThreads(member: NodePeer | null): Peer {
  return {
    version: 'this',
    compressions: [],
    read: (place, settings, onRead, onError) =>
      member === null
        ? readAsOneMember(place, settings, onRead, onError)
        : readAsMembers(member, place, settings, onRead, onError),
  };
}

async function readAsOneMember(
  place: Place,
  { groupId }: ReadSettings,
  onRead: OnRead,
  onError: OnError,
): Promise<Reader> {
  const options = { ...optionsOf(place), groupId, topics: [place.topic], autoOffsetReset: 'earliest' } as const;
  const { Consumer } = await published();
  const consumer = await Consumer.start(options);
  const workers = Array.from({ length: threadCount }, () => {
    const handle = consumer.share();
    return startThread({ handle }, handle.transferList, onRead, onError);
  });
  return {
    settings: `all defaults, autoOffsetReset earliest; ${threadCount} attached threads, for await, cursor in place`,
    async close() {
      await consumer.close();
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

async function readAsMembers(
  member: NodePeer,
  place: Place,
  settings: ReadSettings,
  onRead: OnRead,
  onError: OnError,
): Promise<Reader> {
  const data = { member, place, settings };
  const workers = Array.from({ length: threadCount }, () => startThread(data, [], onRead, onError));
  return {
    settings: `${threadCount} threads, each with a client and a member of its own, as measured alone`,
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function startThread(
  data: ThreadData,
  transferList: ConsumerHandle['transferList'],
  onRead: OnRead,
  onError: OnError,
): Worker {
  const worker = new Worker(new URL(import.meta.url), { workerData: data, transferList: [...transferList] });
  worker.on('message', (told: Told) => {
    if ('error' in told) onError(new Error(told.error));
    else for (const one of told) onRead(...one);
  });
  worker.on('error', onError);
  return worker;
}

async function runThread(data: ThreadData): Promise<void> {
  let waiting: Parameters<OnRead>[] = [];
  // What is read in one turn of the event loop goes in one message.
  const onRead: OnRead = (...one) => {
    if (waiting.push(one) > 1) return;
    setImmediate(() => {
      parentPort!.postMessage(waiting satisfies Told);
      waiting = [];
    });
  };
  if ('member' in data) {
    const peer = await loadPeer(data.member, data.place.folder);
    await peer.read!(data.place, data.settings, onRead, (error) =>
      parentPort!.postMessage({ error: String(error) } satisfies Told),
    );
    return;
  }
  const { Consumer } = await published();
  const consumer = await Consumer.attach(data.handle);
  for await (const batch of consumer) {
    const { valueBytes, sum } = readInPlace(batch.cursor());
    onRead(batch.partition, batch.nextOffset.toNumber() - 1, batch.count, valueBytes, sum);
  }
}

const data = workerData as Partial<Record<'handle' | 'member', unknown>> | null;
if (!isMainThread && (data?.handle !== undefined || data?.member !== undefined)) {
  await runThread(workerData as ThreadData);
}
