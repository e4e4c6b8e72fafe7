// Owns the answer of every thread of a soak to the question how much memory it has. Node loads it in each thread, by `--import`. It
// must not take memory that grows.

import { getHeapCodeStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread, threadId, workerData } from 'node:worker_threads';

export const probeChannel = 'soak-heap';

export interface ThreadMemory {
  readonly threadId: number;
  /** Whether it is the network thread of a client. The others are those of the codec pool, and the main thread. */
  readonly isNetwork: boolean;
  readonly heapBytes: number;
  /** Of the heap: bytecode and compiled code, with what V8 keeps to go back from it. */
  readonly codeBytes: number;
  /** Of array buffers, too. */
  readonly externalBytes: number;
}

let collect: (() => void) | null = null;

/** After all garbage of this thread was collected. The second collection takes what finalizers of the first one have let go. */
export function measureThread(): ThreadMemory {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const isNetwork = !isMainThread && 'controlPort' in (workerData ?? {});
  const { code_and_metadata_size: code, bytecode_and_metadata_size: bytecode } = getHeapCodeStatistics();
  return { threadId, isNetwork, heapBytes: heapUsed, codeBytes: code + bytecode, externalBytes: external };
}

if (!isMainThread) {
  const channel = new BroadcastChannel(probeChannel);
  channel.onmessage = (event) => {
    // Answers of other threads come here, too. Whoever answered those would never be done.
    if ((event as { data: unknown }).data !== null) return;
    measureThread();
    // Finalizers run between turns of the event loop.
    setImmediate(() => channel.postMessage(measureThread()));
  };
  channel.unref();
}
