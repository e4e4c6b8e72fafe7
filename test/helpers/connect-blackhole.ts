// Owns an address at which connecting neither succeeds nor fails, as behind a firewall that drops packets: a listener
// that never accepts and whose queue is full. Its thread blocks on purpose; filling the queue runs in the test's thread.
// Works where the kernel drops a SYN when the accept queue is full, which Linux does.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

export interface ConnectBlackhole {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  close(): Promise<void>;
}

const host = '127.0.0.1';
const maxFillers = 64;
/** A loopback connect takes well under a millisecond; one that takes this long has met the full queue. */
const probeMs = 150;

// As text, because it needs no file: it is only a listener and a block.
const listenerCode = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: workerData.host, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(workerData.released, 0, 0);
    process.exit();
  });
`;

export async function startConnectBlackhole(): Promise<ConnectBlackhole> {
  const released = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(listenerCode, { eval: true, workerData: { host, released } });
  worker.unref();
  const [port] = (await once(worker, 'message')) as [number];
  const fillers: Socket[] = [];
  const close = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    const exited = once(worker, 'exit');
    Atomics.store(released, 0, 1);
    Atomics.notify(released, 0);
    worker.ref();
    await exited;
  };
  while (await fills(port, fillers)) {
    if (fillers.length < maxFillers) continue;
    await close();
    throw new Error(`after ${fillers.length} connections the accept queue is still not full`);
  }
  return { host, port, address: `${host}:${port}`, close };
}

/** Opens one more connection. False if it is not accepted, which means that the queue is full. */
function fills(port: number, fillers: Socket[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host);
    fillers.push(socket);
    const timer = setTimeout(() => resolve(false), probeMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
