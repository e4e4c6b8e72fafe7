// Owns what either thread does in a stress test: write, read, own a doorbell, ring it. Runs in the test's thread and in the
// peer's alike, so that each role is tried on both. Every blocking wait is bounded: a lost wake-up is an error, not a hang.

import type { MessagePort } from 'node:worker_threads';
import { Doorbell } from '../../src/ring/doorbell.ts';
import { SEND } from '../../src/ring/frames/kinds.ts';
import { openRing } from '../../src/ring/layout.ts';
import { type LinkLimits, LinkReader, LinkWriter } from '../../src/ring/link.ts';
import { RingConsumer, RingProducer } from '../../src/ring/ring-buffer.ts';
import { MetricsReader, MetricsWriter } from '../../src/state/shared-metrics.ts';
import { slotOf } from '../../src/state/shared-metrics-layout.ts';
import { fillPattern, findMismatch, patternByte, Random } from '../unit/ring/support/random.ts';
import { installJitter, spin } from './jitter.ts';

/** Only a bound on a failing test. */
const maxWaitMs = 20_000;

interface Bells {
  /** Of the thread that plays the role. */
  readonly own: SharedArrayBuffer;
  readonly other: SharedArrayBuffer;
  /** Blocks its thread, or waits on the event loop. */
  readonly isBlocking: boolean;
}

interface Schedule {
  readonly seed: number;
  /** Messages are numbered from 0. */
  readonly count: number;
}

export type Job =
  | ({ role: 'write-frames' | 'read-frames'; ring: SharedArrayBuffer } & Schedule & Bells)
  | ({
      role: 'write-messages' | 'read-messages';
      ring: SharedArrayBuffer;
      port: MessagePort;
      sparePort?: MessagePort;
    } & LinkLimits &
      Schedule & { longest: number } & Bells)
  | ({
      role: 'own-bell';
      work: SharedArrayBuffer;
      own: SharedArrayBuffer;
      notifiers: readonly SharedArrayBuffer[];
      /** Null: it never dozes; else ms, Infinity where it is notified and never nudged. */
      dozeMs: number | null;
    } & Schedule &
      Pick<Bells, 'isBlocking'>)
  | ({ role: 'move-windows' | 'read-windows'; metrics: SharedArrayBuffer } & Schedule)
  | ({ role: 'ring-bell'; work: SharedArrayBuffer; index: number; nudges: boolean } & Schedule & Bells);

type JobOf<Role extends Job['role']> = Extract<Job, { role: Role }>;

/** Half of all seeds are played with jitter. */
export async function play(job: Job): Promise<void> {
  const removeJitter = job.seed % 2 === 0 ? installJitter(job.seed) : null;
  try {
    await playRole(job);
  } finally {
    removeJitter?.();
  }
}

function playRole(job: Job): Promise<void> {
  switch (job.role) {
    case 'write-frames':
      return writeFrames(job);
    case 'read-frames':
      return readFrames(job);
    case 'write-messages':
      return writeMessages(job);
    case 'read-messages':
      return readMessages(job);
    case 'move-windows':
      return moveWindows(job);
    case 'read-windows':
      return readWindows(job);
    case 'own-bell':
      return ownBell(job);
    case 'ring-bell':
      return ringBell(job);
  }
}

/** One event in each of `count` windows of 1 ms, all of whose rows move every time. */
async function moveWindows(job: JobOf<'move-windows' | 'read-windows'>): Promise<void> {
  const writer = new MetricsWriter(job.metrics, 0);
  for (let row = 0; row < 3; row++) writer.clearRow(row);
  for (let n = 1; n <= job.count; n++) {
    writer.moveOn(n);
    for (let row = 0; row < 3; row++) writer.add(writer.indexOf(row, slotOf.requests), 1);
  }
}

/** Two windows hold one event each, and the current one may miss its own: whoever sees more has mixed two moments. */
async function readWindows(job: JobOf<'move-windows' | 'read-windows'>): Promise<void> {
  const reader = new MetricsReader(job.metrics);
  for (let seen = 0; seen < job.count; ) {
    const rows = reader.read([0, 1, 2], 0);
    seen = Math.min(...rows.map((row) => row.total('requests')));
    for (const row of rows) {
      const recent = row.recent('requests');
      if (recent < 0 || recent > 2) throw new Error(`${recent} events in two windows, after ${seen}`);
    }
  }
}

/** Body length of frame `n`, the same on both sides. */
export function lengthOf(seed: number, n: number, longest: number): number {
  const hash = Math.imul(seed ^ Math.imul(n, 0x9e3779b1), 0x85ebca6b) >>> 8;
  return hash % (longest + 1);
}

class Waiter {
  readonly #own: Doorbell;
  readonly #other: Doorbell;
  readonly #isBlocking: boolean;
  readonly #what: string;

  constructor({ own, other, isBlocking }: Bells, what: string) {
    this.#own = new Doorbell(own);
    this.#other = new Doorbell(other);
    this.#isBlocking = isBlocking;
    this.#what = what;
  }

  notify(): void {
    this.#other.notify();
  }

  /** Returns after a sleep, or at once: there may be nothing to do. */
  async sleep(hasWork: () => boolean): Promise<void> {
    if (!this.#isBlocking) {
      await this.#own.sleep(hasWork);
    } else if (!this.#own.sleepSync(hasWork, maxWaitMs)) {
      throw new Error(`${this.#what}: lost wake-up, ${hasWork() ? 'with' : 'without'} work`);
    }
  }
}

async function writeFrames(job: JobOf<'write-frames' | 'read-frames'>): Promise<void> {
  const producer = new RingProducer(openRing(job.ring));
  const waiter = new Waiter(job, 'writer');
  const random = new Random(job.seed);
  for (let n = 0; n < job.count; n++) {
    const bytes = lengthOf(job.seed, n, producer.maxBodyBytes);
    const claimBytes = bytes + random.below(producer.maxBodyBytes - bytes + 1);
    if (random.isOneIn(8) && producer.claim(random.below(claimBytes + 1)) !== -1) producer.abandon();
    let offset = producer.claim(claimBytes);
    while (offset === -1) {
      waiter.notify();
      await waiter.sleep(() => producer.hasRoom(claimBytes));
      offset = producer.claim(claimBytes);
    }
    const isExtended = random.isOneIn(4) && producer.extend(producer.maxBodyBytes);
    // Dirt over the whole claim: nobody may see it, and it must hit nothing that is still to be read.
    producer.u8.fill(0xee, offset, offset + (isExtended ? producer.maxBodyBytes : claimBytes));
    fillPattern(producer.u8, offset, bytes, n);
    producer.commit(SEND, 0, n, ~n, bytes);
    if (random.isOneIn(4)) waiter.notify();
  }
  while (!producer.isEmpty()) {
    waiter.notify();
    await waiter.sleep(() => producer.isEmpty());
  }
}

async function readFrames(job: JobOf<'write-frames' | 'read-frames'>): Promise<void> {
  const consumer = new RingConsumer(openRing(job.ring));
  const waiter = new Waiter(job, 'reader');
  const random = new Random(~job.seed);
  for (let n = 0; n < job.count; ) {
    while (!random.isOneIn(5) && consumer.next()) checkFrame(consumer, job.seed, n++);
    consumer.release();
    waiter.notify();
    if (n < job.count && consumer.isEmpty()) await waiter.sleep(() => !consumer.isEmpty());
  }
  consumer.release();
  waiter.notify();
  if (consumer.next()) throw new Error(`a frame more than ${job.count} came`);
}

/** @throws when the current frame is not exactly frame `n` of the schedule */
export function checkFrame(consumer: RingConsumer, seed: number, n: number): void {
  const bytes = lengthOf(seed, n, consumer.capacity / 2 - 16);
  const seen = [consumer.kind, consumer.flags, consumer.requestId, consumer.detail, consumer.bodyBytes].join();
  const expected = [SEND, 0, n, ~n, bytes].join();
  if (seen !== expected) throw new Error(`frame ${n} is ${seen}, expected ${expected}`);
  const mismatch = findMismatch(consumer.u8, consumer.bodyOffset, bytes, n);
  if (mismatch !== -1) throw new Error(`frame ${n} of ${bytes} bytes differs at ${mismatch}`);
}

async function writeMessages(job: JobOf<'write-messages' | 'read-messages'>): Promise<void> {
  const writer = new LinkWriter(new RingProducer(openRing(job.ring)), job.port, job, job.sparePort);
  const waiter = new Waiter(job, 'writer');
  const random = new Random(job.seed);
  for (let n = 0; n < job.count; n++) {
    const bytes = lengthOf(job.seed, n, job.longest);
    const expected = random.isOneIn(2) ? bytes : random.below(job.longest + 1);
    while (!writer.begin(expected)) {
      waiter.notify();
      await waiter.sleep(() => writer.hasRoom(expected));
    }
    if (random.isOneIn(10)) {
      writer.abandon();
      n--;
      continue;
    }
    writeGrowing(writer, random, bytes, n);
    for (;;) {
      const released = writer.releasedPosition;
      if (writer.commit(SEND, n, ~n, bytes)) break;
      waiter.notify();
      await waiter.sleep(() => writer.releasedPosition !== released);
    }
    const outstanding = writer.spilledBytesOutstanding;
    const limit = Math.max(job.spillBudgetBytes, 2 * job.longest + 64);
    if (outstanding > limit) throw new Error(`${outstanding} spilled bytes are outstanding, limit ${limit}`);
    if (random.isOneIn(4)) waiter.notify();
  }
  while (!writer.isEmpty()) {
    waiter.notify();
    await waiter.sleep(() => writer.isEmpty());
  }
  if (writer.spilledBytesOutstanding !== 0)
    throw new Error(`${writer.spilledBytesOutstanding} spilled bytes never came back`);
}

/** As a flat writer does: grows while it writes. */
function writeGrowing(writer: LinkWriter, random: Random, bytes: number, n: number): void {
  for (let used = 0; used < bytes; ) {
    const next = Math.min(bytes, used + 1 + random.below(64));
    if (next > writer.capacity) writer.grow(next, used, random.isOneIn(3) ? bytes : 0);
    for (; used < next; used++) writer.u8[writer.base + used] = patternByte(n, used);
  }
}

async function readMessages(job: JobOf<'write-messages' | 'read-messages'>): Promise<void> {
  const reader = new LinkReader(new RingConsumer(openRing(job.ring)), job.port, job.sparePort);
  const waiter = new Waiter(job, 'reader');
  const random = new Random(~job.seed);
  for (let n = 0; n < job.count; ) {
    while (!random.isOneIn(5) && reader.next()) {
      checkMessage(reader, job, n++);
      if (random.isOneIn(2)) reader.release();
    }
    reader.release();
    waiter.notify();
    if (n < job.count && reader.isEmpty()) await waiter.sleep(() => !reader.isEmpty());
  }
  reader.release();
  waiter.notify();
  if (reader.next()) throw new Error(`a message more than ${job.count} came`);
}

/** @throws when the current message is not exactly message `n` of the schedule */
export function checkMessage(
  reader: LinkReader,
  { seed, longest }: { seed: number; longest: number },
  n: number,
): void {
  const bytes = lengthOf(seed, n, longest);
  const seen = [reader.kind, reader.requestId, reader.detail, reader.byteLength].join();
  const expected = [SEND, n, ~n, bytes].join();
  if (seen !== expected) throw new Error(`message ${n} is ${seen}, expected ${expected}`);
  const owned = (n & 1) === 0 ? null : reader.own();
  const body = owned ?? reader;
  const mismatch = findMismatch(body.u8, body.base, bytes, n);
  if (mismatch !== -1) throw new Error(`message ${n} of ${bytes} bytes differs at ${mismatch}`);
  if (owned?.isMoved && (n & 2) === 0) reader.giveBack(owned.u8.buffer as ArrayBuffer);
}

/*
 * Doorbell: word 0 counts what the owner has taken; word 32 + 32 * index what notifier `index` has published.
 */
const takenWord = 0;

function publishedWord(index: number): number {
  return 32 + 32 * index;
}

/** Takes `count` items, from however many notifiers, sleeping whenever there is nothing. */
async function ownBell(job: JobOf<'own-bell'>): Promise<void> {
  const words = new Int32Array(job.work);
  const bell = new Doorbell(job.own);
  const notifiers = job.notifiers.map((buffer) => new Doorbell(buffer));
  const random = new Random(job.seed);
  let taken = 0;
  const published = () => {
    let sum = 0;
    for (let index = 0; index < notifiers.length; index++) sum += Atomics.load(words, publishedWord(index));
    return sum;
  };
  const hasWork = () => {
    // Between the look and the wait is where a wake-up would get lost.
    const isThere = published() > taken;
    spin(random.below(100));
    return isThere;
  };
  while (taken < job.count) {
    taken = published();
    Atomics.store(words, takenWord, taken);
    for (const notifier of notifiers) notifier.notify();
    if (taken >= job.count) break;
    if (job.isBlocking && !random.isOneIn(4)) {
      if (!bell.sleepSync(hasWork, maxWaitMs)) throw new Error(`owner: lost wake-up at ${taken} of ${published()}`);
      continue;
    }
    if (job.dozeMs !== null && random.isOneIn(2)) {
      const dozing = bell.doze(hasWork);
      if (dozing !== null) await untilTimer(dozing, job.dozeMs);
      continue;
    }
    const armed = bell.sleep(hasWork);
    // An armed wait may stay behind while the thread goes on, and even blocks.
    if (armed !== null && !(job.isBlocking && random.isOneIn(2))) await armed;
  }
}

/** Until the wait or the time is over. */
async function untilTimer(wait: Promise<void>, limitMs: number): Promise<void> {
  if (limitMs === Number.POSITIVE_INFINITY) return wait;
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([wait, new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)))]);
  clearTimeout(timer);
}

/** Publishes `count` items and rings after each; the pause in between varies from none to "until the owner took it". */
async function ringBell(job: JobOf<'ring-bell'>): Promise<void> {
  const words = new Int32Array(job.work);
  const waiter = new Waiter(job, 'notifier');
  const other = new Doorbell(job.other);
  const random = new Random(job.seed);
  const mine = publishedWord(job.index);
  for (let n = 1; n <= job.count; n++) {
    const takenBefore = Atomics.load(words, takenWord);
    Atomics.store(words, mine, n);
    spin(random.below(200));
    if (job.nudges && !random.isOneIn(3)) other.nudge();
    else other.notify();
    const hasTaken = () => Atomics.load(words, takenWord) !== takenBefore;
    const pause = random.below(3);
    if (pause === 0) await waiter.sleep(hasTaken);
    else if (pause === 1) spin(random.below(5000));
  }
}
