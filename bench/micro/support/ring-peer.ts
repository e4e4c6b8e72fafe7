// Owns the second thread of the benchmarks of rings, doorbells and spilling. It runs one job at a time, which comes as a message.
// Must not measure: the thread that started it does.

import { type MessagePort, parentPort, Worker } from 'node:worker_threads';
import { Doorbell } from '../../../src/ring/doorbell.ts';
import { openRing } from '../../../src/ring/layout.ts';
import { LinkReader } from '../../../src/ring/link.ts';
import { RingConsumer } from '../../../src/ring/ring-buffer.ts';

/** The words of `turns`. Each is on a cache line of its own. */
export const ASKED_WORD = 0;
export const ANSWERED_WORD = 32;

export type PeerJob =
  /** Reads `frames` frames. `isTakenOut`: also copies each body out of the ring into one buffer. */
  | {
      job: 'drain';
      ring: SharedArrayBuffer;
      own: SharedArrayBuffer;
      other: SharedArrayBuffer;
      frames: number;
      isTakenOut: boolean;
    }
  /** Counts `frames` messages, then sets `done`. */
  | { job: 'drainPort'; port: MessagePort; done: SharedArrayBuffer; frames: number }
  /** Takes `frames` bodies out of a link. It owns each body. */
  | {
      job: 'own';
      ring: SharedArrayBuffer;
      port: MessagePort;
      own: SharedArrayBuffer;
      other: SharedArrayBuffer;
      frames: number;
    }
  /** Answers each of `rounds` rings of its doorbell by ringing the other one. `turns` counts them. */
  | {
      job: 'echo';
      own: SharedArrayBuffer;
      other: SharedArrayBuffer;
      turns: SharedArrayBuffer;
      rounds: number;
      isBlocking: boolean;
    }
  /** Answers each message with a message. */
  | { job: 'echoPort'; port: MessagePort };

/** Starts the peer. It runs jobs until it is terminated. */
export async function startPeer(): Promise<Worker> {
  const worker = new Worker(new URL(import.meta.url));
  await new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  worker.on('error', (error) => {
    throw error;
  });
  return worker;
}

function drain({ ring, own, other, frames, isTakenOut }: Extract<PeerJob, { job: 'drain' }>): void {
  const consumer = new RingConsumer(openRing(ring));
  const ownBell = new Doorbell(own);
  const otherBell = new Doorbell(other);
  const target = new Uint8Array(consumer.capacity);
  const hasWork = () => !consumer.isEmpty();
  let left = frames;
  let sum = 0;
  while (left > 0) {
    let batch = 0;
    while (batch < 1024 && consumer.next()) {
      if (isTakenOut) target.set(consumer.u8.subarray(consumer.bodyOffset, consumer.bodyOffset + consumer.bodyBytes));
      else sum ^= consumer.i32[consumer.bodyOffset >>> 2]!;
      consumer.release();
      batch++;
    }
    left -= batch;
    otherBell.notify();
    if (batch === 0) ownBell.sleepSync(hasWork, Number.POSITIVE_INFINITY);
  }
  if (sum === 0.5) throw new Error('unreachable: keeps the reads alive');
}

function drainPort({ port, done, frames }: Extract<PeerJob, { job: 'drainPort' }>): void {
  let left = frames;
  let sum = 0;
  port.on('message', (message: Int32Array) => {
    sum ^= message[0]!;
    if (--left > 0) return;
    if (sum === 0.5) throw new Error('unreachable: keeps the reads alive');
    const word = new Int32Array(done);
    Atomics.store(word, 0, 1);
    Atomics.notify(word, 0);
    port.close();
  });
}

function own({ ring, port, own, other, frames }: Extract<PeerJob, { job: 'own' }>): void {
  const reader = new LinkReader(new RingConsumer(openRing(ring)), port);
  const ownBell = new Doorbell(own);
  const otherBell = new Doorbell(other);
  const hasWork = () => !reader.isEmpty();
  let left = frames;
  let sum = 0;
  while (left > 0) {
    let batch = 0;
    while (batch < 8 && reader.next()) {
      const body = reader.own();
      reader.release();
      sum ^= body.i32[0]!;
      batch++;
    }
    left -= batch;
    otherBell.notify();
    if (batch === 0) ownBell.sleepSync(hasWork, Number.POSITIVE_INFINITY);
  }
  if (sum === 0.5) throw new Error('unreachable: keeps the reads alive');
  port.close();
}

async function echo({ own, other, turns, rounds, isBlocking }: Extract<PeerJob, { job: 'echo' }>): Promise<void> {
  const ownBell = new Doorbell(own);
  const otherBell = new Doorbell(other);
  const words = new Int32Array(turns);
  let answered = 0;
  const hasWork = () => Atomics.load(words, ASKED_WORD) > answered;
  while (answered < rounds) {
    while (!hasWork()) {
      if (isBlocking) ownBell.sleepSync(hasWork, Number.POSITIVE_INFINITY);
      else await ownBell.sleep(hasWork);
    }
    answered++;
    Atomics.store(words, ANSWERED_WORD, answered);
    otherBell.notify();
  }
}

if (parentPort !== null) {
  const parent = parentPort;
  parent.on('message', async (job: PeerJob) => {
    if (job.job === 'drain') drain(job);
    else if (job.job === 'drainPort') drainPort(job);
    else if (job.job === 'own') own(job);
    else if (job.job === 'echo') await echo(job);
    else job.port.on('message', (message) => job.port.postMessage(message));
  });
  parent.postMessage('ready');
}
