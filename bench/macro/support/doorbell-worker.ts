// Owns the second thread in the measurement of the least cost of a socket in another thread: two doorbells and a socket, without a
// protocol. It writes the same bytes when its doorbell rings, and rings back when a whole answer is there. round-trip.ts starts it.

import { connect } from 'node:net';
import { workerData } from 'node:worker_threads';
import { Doorbell } from '../../../src/ring/doorbell.ts';

/** Word 0 counts requests, word 1 counts answers, word 2 is 1 when connected. The answer's bytes begin at 16. */
export interface DoorbellWorkerData {
  readonly shared: SharedArrayBuffer;
  readonly ownBell: SharedArrayBuffer;
  readonly mainBell: SharedArrayBuffer;
  readonly host: string;
  readonly port: number;
  readonly request: Uint8Array;
}

const { shared, ownBell, mainBell, host, port, request } = workerData as DoorbellWorkerData;
const words = new Int32Array(shared, 0, 4);
const bytes = new Uint8Array(shared, 16);
const own = new Doorbell(ownBell);
const main = new Doorbell(mainBell);
const socket = connect({ host, port, noDelay: true });
let written = 0;

const hasWork = (): boolean => Atomics.load(words, 0) !== written;

function serve(): void {
  while (hasWork()) {
    written++;
    socket.write(request);
  }
  const bell = own.sleep(hasWork);
  if (bell === null) setImmediate(serve);
  else bell.then(serve);
}

function answered(): void {
  Atomics.add(words, 1, 1);
  main.notify();
}

let received = 0;
socket.on('data', (chunk) => {
  bytes.set(chunk, received);
  received += chunk.length;
  if (received < 4 || received < 4 + new DataView(shared, 16).getInt32(0)) return;
  received = 0;
  answered();
});
socket.on('connect', () => {
  serve();
  Atomics.store(words, 2, 1);
  main.notify();
});
