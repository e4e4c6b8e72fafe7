// Owns the making of the Worker that is a network thread. A program that is about to start a client may have it made early: the thread starts and
// loads its code meanwhile, and gets its data when the client starts. Application thread. Must load nothing large, because it is loaded first.

import type { Transferable, WorkerOptions } from 'node:worker_threads';
// biome-ignore lint/style/useNodejsImportProtocol: webpack 5.113 knows Node's Worker only by this module name
import { Worker } from 'worker_threads';
import { type CompileCaches, environmentWithCache } from './compile-cache.ts';

/** The worker's entry when this file runs from its source. */
const sourceEntry = '../../worker/index.ts';
const here = import.meta.url;

/** It waits for its data. Null: there is none. */
let early: Worker | null = null;

/**
 * Makes the thread of the next client of this thread that has no `workerUrl`. It does not keep the process alive. Nothing happens when there is
 * such a thread already.
 */
export function startThreadEarly(): void {
  if (early !== null) return;
  const worker = newWorker(null, {});
  early = worker;
  // The client then makes another one, which tells why there is none.
  for (const event of ['error', 'exit']) worker.once(event, () => forget(worker));
  worker.unref();
}

/** Ends the thread that was made early if no client has taken it. */
export async function endEarlyThread(): Promise<void> {
  const worker = early;
  early = null;
  await worker?.terminate();
}

/** The network thread of a new client. */
export function newThread(workerUrl: string | null, data: object, transferList: readonly Transferable[]): Worker {
  const worker = workerUrl === null ? early : null;
  if (worker === null) return newWorker(workerUrl, { workerData: data, transferList: [...transferList] });
  early = null;
  worker.postMessage(data, transferList);
  return worker;
}

function forget(worker: Worker): void {
  if (early === worker) early = null;
}

function newWorker(workerUrl: string | null, given: WorkerOptions): Worker {
  const options: WorkerOptions = {
    name: 'kafka-network',
    // `node --input-type=module -e ...` passes its flag on, and with that flag no worker file starts.
    ...(process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}),
    env: environmentWithCache(process.getBuiltinModule('node:module') as CompileCaches, process.env),
    ...given,
  };
  if (workerUrl !== null) return new Worker(new URL(workerUrl), options);
  if (here.endsWith('.ts')) return new Worker(new URL(sourceEntry, here), options);
  // This exact form is needed: bundlers find the file by it and build it too.
  return new Worker(new URL('../../worker/index.js', import.meta.url), options);
}
