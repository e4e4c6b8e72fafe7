// Measures the time to wake another thread and to be woken by its answer: by doorbells, asynchronous and blocking, against a MessagePort.
// Each round is one wake-up and its answer. The ways take turns in blocks. Half a round trip is one wake-up.

import { isMainThread, MessageChannel, type Worker } from 'node:worker_threads';
import { createDoorbell, Doorbell } from '../../src/ring/doorbell.ts';
import { type BenchRow, median, quantile } from '../support/rows.ts';
import { ANSWERED_WORD, ASKED_WORD, type PeerJob, startPeer } from './support/ring-peer.ts';

const blocks = 10;
const roundsPerBlock = 1000;

export async function run(): Promise<readonly BenchRow[]> {
  const peer = await startPeer();
  try {
    const waiting: number[][] = [];
    const blocking: number[][] = [];
    const port: number[][] = [];
    for (let block = 0; block < blocks; block++) {
      waiting.push(await roundTrips(peer, false));
      blocking.push(await roundTrips(peer, true));
      port.push(await portRoundTrips(peer));
    }
    return [...rows('asynchronous', waiting, port), ...rows('blocking', blocking, port)];
  } finally {
    await peer.terminate();
  }
}

/** Microseconds of each wake-up and back by doorbell. */
async function roundTrips(peer: Worker, isBlocking: boolean): Promise<number[]> {
  const own = createDoorbell();
  const other = createDoorbell();
  const turns = new SharedArrayBuffer(256);
  const rounds = roundsPerBlock;
  peer.postMessage({ job: 'echo', own: other, other: own, turns, rounds, isBlocking } satisfies PeerJob);
  const words = new Int32Array(turns);
  const ownBell = new Doorbell(own);
  const otherBell = new Doorbell(other);
  const micros: number[] = [];
  let round = 0;
  const isAnswered = () => Atomics.load(words, ANSWERED_WORD) === round;
  for (round = 1; round <= rounds; round++) {
    const start = performance.now();
    Atomics.store(words, ASKED_WORD, round);
    otherBell.notify();
    while (!isAnswered()) {
      if (isBlocking) ownBell.sleepSync(isAnswered, Number.POSITIVE_INFINITY);
      else await ownBell.sleep(isAnswered);
    }
    micros.push((performance.now() - start) * 1000);
  }
  return micros;
}

/** Microseconds of each message and its answer. */
async function portRoundTrips(peer: Worker): Promise<number[]> {
  const { port1, port2 } = new MessageChannel();
  peer.postMessage({ job: 'echoPort', port: port2 } satisfies PeerJob, [port2]);
  const micros: number[] = [];
  let answer = (): void => {};
  port1.on('message', () => answer());
  for (let round = 0; round < roundsPerBlock; round++) {
    const start = performance.now();
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    port1.postMessage(round);
    await answered;
    micros.push((performance.now() - start) * 1000);
  }
  port1.close();
  return micros;
}

function rows(way: string, doorbell: readonly number[][], port: readonly number[][]): BenchRow[] {
  return ([0.5, 0.99] as const).map((share) => {
    const ours = doorbell.map((micros) => quantile(micros, share));
    const theirs = port.map((micros) => quantile(micros, share));
    return {
      name: `wake-up and back, ${way}, p${share * 100}`,
      unit: 'us',
      ours: median(ours),
      comparison: 'MessagePort',
      theirs: median(theirs),
      ratio: median(ours.map((value, i) => value / theirs[i]!)),
      parameters: { blocks, roundsPerBlock },
    };
  });
}

if (isMainThread && process.argv[1] === import.meta.filename) {
  for (const result of await run()) console.log(JSON.stringify(result));
}
