// Owns the start of the broker's thread: sockets first, then the code of the brokers, which answers whoever has connected meanwhile. This is the
// file that threaded-broker.ts starts as a worker. Must not import that code directly.

import { parentPort, workerData } from 'node:worker_threads';
import { listenEarly } from './early-listeners.ts';
import type { Report, ThreadData } from './messages.ts';

if (parentPort === null) throw new Error('thread.ts runs as a worker only');
const { options } = workerData as ThreadData;
const early = await listenEarly(options);
if (early !== null) {
  const nodes = early.map(({ server, port }, id) => ({ id, host: '127.0.0.1', port, isListening: server.listening }));
  parentPort.postMessage({ type: 'ready', nodes } satisfies Report);
}
const { serveCluster } = await import('./cluster-thread.ts');
await serveCluster(parentPort, options, early);
