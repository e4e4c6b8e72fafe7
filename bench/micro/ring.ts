// Measures the ring between two threads: its message rate against a MessagePort, its bandwidth against a plain memory copy. Both ways
// take turns in one run, so that other work of the machine affects both. Each row has medians.

import { isMainThread, MessageChannel, type Worker } from 'node:worker_threads';
import { createDoorbell, Doorbell } from '../../src/ring/doorbell.ts';
import { SEND } from '../../src/ring/frames/kinds.ts';
import { createRing, FRAME_HEADER_BYTES, openRing } from '../../src/ring/layout.ts';
import { RingProducer } from '../../src/ring/ring-buffer.ts';
import { type BenchRow, median } from '../support/rows.ts';
import { type PeerJob, startPeer } from './support/ring-peer.ts';

/** The default of responseRingBytes. */
const ringBytes = 4 * 1024 * 1024;
const rounds = 9;

export async function run(): Promise<readonly BenchRow[]> {
  const peer = await startPeer();
  try {
    return [
      measureRate(peer, 64, 400_000, 40_000),
      measureRate(peer, 1024, 200_000, 40_000),
      measureBandwidth(peer, 64 * 1024, 8192, false),
      measureBandwidth(peer, 64 * 1024, 8192, true),
    ];
  } finally {
    await peer.terminate();
  }
}

function measureRate(peer: Worker, frameBytes: number, ringFrames: number, portFrames: number): BenchRow {
  const ring: number[] = [];
  const port: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ring.push(ringFrames / sendByRing(peer, frameBytes, ringFrames, false));
    port.push(portFrames / sendByPort(peer, frameBytes, portFrames));
  }
  return row('message rate of the ring', 'messages/s', { frameBytes }, ring, 'MessagePort', port);
}

/** Bytes per second through the ring. The reader reads in place, or also copies the bytes out. */
function measureBandwidth(peer: Worker, frameBytes: number, frames: number, isTakenOut: boolean): BenchRow {
  const ring: number[] = [];
  const copy: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const gigabytes = (frames * frameBytes) / 1e9;
    ring.push(gigabytes / sendByRing(peer, frameBytes, frames, isTakenOut));
    copy.push(gigabytes / copyPlainly(frameBytes, frames, isTakenOut));
  }
  const comparison = isTakenOut
    ? 'copied in and out of as much memory, one thread'
    : 'copied into as much memory, one thread';
  const parameters = { frameBytes, reader: isTakenOut ? 'copies out' : 'in place' };
  return row('bandwidth of the ring', 'GB/s', parameters, ring, comparison, copy);
}

/** Seconds from the first claim until the peer has released the last frame. */
function sendByRing(peer: Worker, frameBytes: number, frames: number, isTakenOut: boolean): number {
  const ring = createRing(ringBytes);
  const own = createDoorbell();
  const other = createDoorbell();
  peer.postMessage({ job: 'drain', ring, own: other, other: own, frames, isTakenOut } satisfies PeerJob);
  const producer = new RingProducer(openRing(ring));
  const ownBell = new Doorbell(own);
  const otherBell = new Doorbell(other);
  const bodyBytes = frameBytes - FRAME_HEADER_BYTES;
  const source = new Uint8Array(bodyBytes).fill(1);
  const hasRoom = () => producer.hasRoom(bodyBytes);
  const isEmpty = () => producer.isEmpty();
  // There is one wake-up per turn. Here that is two for each time the ring is filled.
  const framesPerTurn = Math.min(256, ringBytes / frameBytes / 2);
  const start = performance.now();
  for (let i = 0; i < frames; i++) {
    let offset = producer.claim(bodyBytes);
    while (offset === -1) {
      otherBell.notify();
      ownBell.sleepSync(hasRoom, Number.POSITIVE_INFINITY);
      offset = producer.claim(bodyBytes);
    }
    writeBody(producer, offset, source, i);
    producer.commit(SEND, 0, i, 0, bodyBytes);
    if (i % framesPerTurn === 0) otherBell.notify();
  }
  while (!producer.isEmpty()) {
    otherBell.notify();
    ownBell.sleepSync(isEmpty, Number.POSITIVE_INFINITY);
  }
  return (performance.now() - start) / 1000;
}

/** Writes small bodies word by word, like flat writers, and big ones as one block. */
function writeBody(producer: RingProducer, offset: number, source: Uint8Array, value: number): void {
  if (source.byteLength > 1024) {
    producer.u8.set(source, offset);
    return;
  }
  const { i32 } = producer;
  const end = (offset + source.byteLength) >>> 2;
  for (let word = offset >>> 2; word < end; word++) i32[word] = value;
}

/** Seconds from the first post until the peer has received the last message. */
function sendByPort(peer: Worker, frameBytes: number, frames: number): number {
  const { port1, port2 } = new MessageChannel();
  const done = new SharedArrayBuffer(4);
  peer.postMessage({ job: 'drainPort', port: port2, done, frames } satisfies PeerJob, [port2]);
  const body = new Int32Array((frameBytes - FRAME_HEADER_BYTES) >>> 2);
  const start = performance.now();
  for (let i = 0; i < frames; i++) {
    body.fill(i);
    port1.postMessage(body);
  }
  Atomics.wait(new Int32Array(done), 0, 0);
  const seconds = (performance.now() - start) / 1000;
  port1.close();
  return seconds;
}

/** Seconds to copy so many bytes from one buffer through memory of the ring's size, and out again if `isTakenOut`. */
function copyPlainly(frameBytes: number, frames: number, isTakenOut: boolean): number {
  const bodyBytes = frameBytes - FRAME_HEADER_BYTES;
  const source = new Uint8Array(bodyBytes).fill(1);
  const area = new Uint8Array(ringBytes);
  const target = new Uint8Array(bodyBytes);
  const start = performance.now();
  for (let i = 0; i < frames; i++) {
    const offset = (i * frameBytes) & (ringBytes - 1);
    area.set(source, offset);
    if (isTakenOut) target.set(area.subarray(offset, offset + bodyBytes));
  }
  return (performance.now() - start) / 1000;
}

function row(
  name: string,
  unit: string,
  parameters: Record<string, unknown>,
  ours: readonly number[],
  comparison: string,
  theirs: readonly number[],
): BenchRow {
  // The ratio is taken in each round, so that a slow moment of the machine affects both.
  const ratio = median(ours.map((value, i) => value / theirs[i]!));
  return {
    name,
    unit,
    ours: median(ours),
    comparison,
    theirs: median(theirs),
    ratio,
    parameters: { ...parameters, ringBytes, rounds },
  };
}

if (isMainThread && process.argv[1] === import.meta.filename) {
  for (const result of await run()) console.log(JSON.stringify(result));
}
