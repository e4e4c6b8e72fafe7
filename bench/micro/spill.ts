// Measures a body that is copied through the ring against the same body moved through the port, by size. `spillBytes` should be the size
// at which both cost the same. In both ways the reader owns the body at the end, and the writer fills it each time.

import { isMainThread, MessageChannel, type Worker } from 'node:worker_threads';
import { createDoorbell, Doorbell } from '../../src/ring/doorbell.ts';
import { RESPONSE } from '../../src/ring/frames/kinds.ts';
import { createRing, openRing } from '../../src/ring/layout.ts';
import { LinkWriter } from '../../src/ring/link.ts';
import { RingProducer } from '../../src/ring/ring-buffer.ts';
import { type BenchRow, median } from '../support/rows.ts';
import { type PeerJob, startPeer } from './support/ring-peer.ts';

/** The default of responseRingBytes. */
const ringBytes = 4 * 1024 * 1024;
const spillBudgetBytes = 64 * 1024 * 1024;
const rounds = 7;
const bytesPerRound = 64 * 1024 * 1024;
const maxPerRound = 20_000;
const sizes = [1, 4, 16, 32, 64, 128, 256, 1024].map((kibibytes) => kibibytes * 1024);

export async function run(): Promise<readonly BenchRow[]> {
  const peer = await startPeer();
  try {
    return sizes.map((bodyBytes) => measure(peer, bodyBytes));
  } finally {
    await peer.terminate();
  }
}

function measure(peer: Worker, bodyBytes: number): BenchRow {
  const frames = Math.min(maxPerRound, Math.ceil(bytesPerRound / bodyBytes));
  const copied: number[] = [];
  const moved: number[] = [];
  for (let round = 0; round < rounds; round++) {
    copied.push(send(peer, bodyBytes, frames, false));
    moved.push(send(peer, bodyBytes, frames, true));
  }
  return {
    name: 'body moved through the port',
    unit: 'us per body',
    ours: median(moved),
    comparison: 'copied through the ring',
    theirs: median(copied),
    ratio: median(moved.map((value, i) => value / copied[i]!)),
    parameters: { bodyBytes, ringBytes, frames, rounds },
  };
}

/** Microseconds per body, from the first begin until the peer has released the last. */
function send(peer: Worker, bodyBytes: number, frames: number, isMoved: boolean): number {
  const ring = createRing(ringBytes);
  const own = createDoorbell();
  const other = createDoorbell();
  const { port1, port2 } = new MessageChannel();
  peer.postMessage({ job: 'own', ring, port: port2, own: other, other: own, frames } satisfies PeerJob, [port2]);
  const spillBytes = isMoved ? 0 : bodyBytes;
  const writer = new LinkWriter(new RingProducer(openRing(ring)), port1, { spillBytes, spillBudgetBytes });
  const ownBell = new Doorbell(own);
  const otherBell = new Doorbell(other);
  const source = new Uint8Array(bodyBytes).fill(1);
  const hasRoom = () => writer.hasRoom(bodyBytes);
  const isEmpty = () => writer.isEmpty();
  // As in the client's turns, there is a wake-up for every megabyte or every 64 bodies.
  const framesPerTurn = Math.max(1, Math.min(64, Math.floor((1024 * 1024) / bodyBytes)));
  const start = performance.now();
  for (let i = 0; i < frames; i++) {
    while (!writer.begin(bodyBytes)) {
      otherBell.notify();
      ownBell.sleepSync(hasRoom, Number.POSITIVE_INFINITY);
    }
    writer.u8.set(source, writer.base);
    // The commit cannot fail: the claimed room is as big as the body, and `begin` has checked the budget.
    if (!writer.commit(RESPONSE, i, 0, bodyBytes)) throw new Error(`body ${i} found no room`);
    if (i % framesPerTurn === 0) otherBell.notify();
  }
  while (!writer.isEmpty()) {
    otherBell.notify();
    ownBell.sleepSync(isEmpty, Number.POSITIVE_INFINITY);
  }
  const micros = ((performance.now() - start) * 1000) / frames;
  port1.close();
  return micros;
}

if (isMainThread && process.argv[1] === import.meta.filename) {
  for (const result of await run()) console.log(JSON.stringify(result));
}
