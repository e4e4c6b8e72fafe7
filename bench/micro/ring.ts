// Measures the ring between two threads: message rate against a MessagePort, bandwidth against a plain memory copy.
// Contenders alternate within one run, so that whatever else the machine does hits both; each row holds medians.

import { isMainThread, MessageChannel, type Worker } from 'node:worker_threads';
import { createDoorbell, Doorbell } from '../../src/ring/doorbell.ts';
import { SEND } from '../../src/ring/frames.ts';
import { createRing, FRAME_HEADER_BYTES, openRing } from '../../src/ring/layout.ts';
import { RingProducer } from '../../src/ring/ring-buffer.ts';
import { type PeerJob, startPeer } from './ring-peer.ts';

const RING_BYTES = 1 << 20;
const ROUNDS = 9;

export async function run(): Promise<object[]> {
  const peer = await startPeer();
  try {
    const rows: object[] = [];
    rows.push(ratePerSecond(peer, 64, 400_000, 40_000));
    rows.push(ratePerSecond(peer, 1024, 200_000, 40_000));
    rows.push(bandwidth(peer, 64 * 1024, 8192, false));
    rows.push(bandwidth(peer, 64 * 1024, 8192, true));
    return rows;
  } finally {
    await peer.terminate();
  }
}

function ratePerSecond(peer: Worker, frameBytes: number, ringFrames: number, portFrames: number): object {
  const ring: number[] = [];
  const port: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ring.push(ringFrames / sendByRing(peer, frameBytes, ringFrames, false));
    port.push(portFrames / sendByPort(peer, frameBytes, portFrames));
  }
  return row(
    'ring-rate',
    { frameBytes, ringBytes: RING_BYTES, rounds: ROUNDS },
    'messages/s',
    ring,
    'MessagePort',
    port,
  );
}

function bandwidth(peer: Worker, frameBytes: number, frames: number, copyOut: boolean): object {
  const ring: number[] = [];
  const copy: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ring.push((frames * frameBytes) / 1e9 / sendByRing(peer, frameBytes, frames, copyOut));
    copy.push((frames * frameBytes) / 1e9 / copyPlainly(frameBytes, frames));
  }
  const parameters = { frameBytes, ringBytes: RING_BYTES, rounds: ROUNDS, reader: copyOut ? 'copies out' : 'in place' };
  return row('ring-bandwidth', parameters, 'GB/s', ring, 'memory copy', copy);
}

/** Seconds from the first claim until the peer has released the last frame. */
function sendByRing(peer: Worker, frameBytes: number, frames: number, copy: boolean): number {
  const ring = createRing(RING_BYTES);
  const own = createDoorbell();
  const other = createDoorbell();
  peer.postMessage({ job: 'drain', ring, own: other, other: own, frames, copy } satisfies PeerJob);
  const producer = new RingProducer(openRing(ring));
  const ownBell = new Doorbell(own);
  const otherBell = new Doorbell(other);
  const bodyBytes = frameBytes - FRAME_HEADER_BYTES;
  const source = new Uint8Array(bodyBytes).fill(1);
  const hasRoom = () => producer.hasRoom(bodyBytes);
  const isEmpty = () => producer.isEmpty();
  const small = bodyBytes <= 1024;
  const start = performance.now();
  for (let i = 0; i < frames; i++) {
    let offset = producer.claim(bodyBytes);
    while (offset === -1) {
      otherBell.notify();
      ownBell.sleepSync(hasRoom, Number.POSITIVE_INFINITY);
      offset = producer.claim(bodyBytes);
    }
    if (small) {
      const end = (offset + bodyBytes) >>> 2;
      for (let word = offset >>> 2; word < end; word++) producer.i32[word] = i;
    } else {
      producer.u8.set(source, offset);
    }
    producer.commit(SEND, 0, i, 0, bodyBytes);
    if ((i & 255) === 0) otherBell.notify();
  }
  while (!producer.isEmpty()) {
    otherBell.notify();
    ownBell.sleepSync(isEmpty, Number.POSITIVE_INFINITY);
  }
  return (performance.now() - start) / 1000;
}

/** Seconds from the first post until the peer has received the last message. */
function sendByPort(peer: Worker, frameBytes: number, frames: number): number {
  const { port1, port2 } = new MessageChannel();
  const done = new SharedArrayBuffer(4);
  const word = new Int32Array(done);
  peer.postMessage({ job: 'drainPort', port: port2, done, frames } satisfies PeerJob, [port2]);
  const body = new Int32Array((frameBytes - FRAME_HEADER_BYTES) >>> 2);
  const start = performance.now();
  for (let i = 0; i < frames; i++) {
    body.fill(i);
    port1.postMessage(body);
  }
  Atomics.wait(word, 0, 0);
  const seconds = (performance.now() - start) / 1000;
  port1.close();
  return seconds;
}

/** Seconds to copy as many bytes, from one buffer through an area as big as the ring. */
function copyPlainly(frameBytes: number, frames: number): number {
  const source = new Uint8Array(frameBytes - FRAME_HEADER_BYTES).fill(1);
  const target = new Uint8Array(RING_BYTES);
  const start = performance.now();
  for (let i = 0; i < frames; i++) target.set(source, (i * frameBytes) & (RING_BYTES - 1));
  return (performance.now() - start) / 1000;
}

function row(name: string, parameters: object, unit: string, ours: number[], other: string, others: number[]): object {
  const ratios = ours.map((value, i) => value / others[i]!);
  return {
    name,
    ...parameters,
    unit,
    ours: median(ours),
    comparison: other,
    theirs: median(others),
    ratio: median(ratios),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >>> 1]!;
}

if (isMainThread && process.argv[1] === import.meta.filename) {
  for (const result of await run()) console.log(JSON.stringify(result));
}
