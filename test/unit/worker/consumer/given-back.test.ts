// Batches of one partition that threads take, finish in part, give back or die with, in orders at random: nothing is skipped or comes too
// early, what is done comes again only behind what was given back, and the application keeps the batches before that. Real links, tables
// and batches; the network thread looks when the schedule says so. SEED=n repeats a run.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { CorruptBatchError } from '../../../../src/common/errors/errors.ts';
import { ConsumerBatch } from '../../../../src/main/consumer/consumer-batch.ts';
import { ConsumerLink } from '../../../../src/main/consumer/consumer-link.ts';
import { createAttachmentHandles, openApplicationEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { BATCH_PREFIX_BYTES } from '../../../../src/ring/frames/consumer-frames.ts';
import { createBatchTable } from '../../../../src/state/batch-table.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import { Dealer } from '../../../../src/worker/consumer/dealer.ts';
import { FetchedMemory } from '../../../../src/worker/consumer/fetched-memory.ts';
import { FetchedRecords } from '../../../../src/worker/consumer/fetched-records.ts';
import { Partition } from '../../../../src/worker/consumer/partition.ts';
import { ConsumerProxy } from '../../../../src/worker/link/consumer-proxy.ts';
import { noReport } from './support/no-report.ts';

const recordsPerBatch = 4;
/** The record at this offset cannot be read. */
const end = 80;
const steps = 600;
const limits = { requestRingBytes: 65_536, responseRingBytes: 65_536, spillBytes: 4096, spillBudgetBytes: 1 << 20 };
const firstSeed = Number(process.env.SEED ?? 1);
const seeds = process.env.SEED === undefined ? 25 : 1;

before(prepareCodecs);

function randomOf(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * below);
  };
}

/** The rest of the broker's batch that has this offset. A broker answers with whole batches. */
function stored(offset: number): Uint8Array {
  const first = offset - (offset % recordsPerBatch);
  const records = Array.from({ length: recordsPerBatch }, (_, i) => ({ value: Buffer.from(`v${first + i}`) }));
  const bytes = buildBatch({ records });
  bytes.writeBigInt64BE(BigInt(first));
  if (first === end) bytes[bytes.length - 1]! ^= 1;
  return bytes;
}

class Thread {
  readonly link: ConsumerLink;
  readonly proxy: ConsumerProxy;
  readonly close: () => void;
  /** The batches that it has and that must not be lost, in order. */
  held: ConsumerBatch[] = [];
  /** Up to where each is done. */
  readonly upTo = new Map<ConsumerBatch, number>();

  constructor(id: number) {
    const { application, network } = createAttachmentHandles(limits, createDoorbell(), createCounters());
    const table = createBatchTable(16);
    const networkEnd = openNetworkEnd(network);
    this.proxy = new ConsumerProxy(id, networkEnd, table, 64 * 1024 * 1024);
    const unexpected = (): never => assert.fail('not expected here');
    const parts = { onEvent: unexpected, callbackThrew: unexpected, onClosed: () => {}, groupIdentity: unexpected };
    this.link = new ConsumerLink({ end: openApplicationEnd(application), table, ...parts });
    this.close = () => {
      this.link.close(new Error('over'));
      networkEnd.close();
    };
    this.link.asks();
  }
}

class Schedule {
  readonly threads: Thread[];
  readonly partition = new Partition('t', 0);
  readonly dealer: Dealer;
  readonly random: (below: number) => number;
  /** The offset of the next batch that a thread may take. */
  next = 0;
  /** Who has met the error at the end. */
  raisedTo: Thread | null = null;
  now = 0;
  raises = 0;
  returns = 0;
  deaths = 0;
  #lastId = 0;

  constructor(seed: number, threads: number) {
    this.random = randomOf(seed);
    const decode = { verifyCrc: true, records: 'rows', maxDecompressedBytes: 1 << 20 } as const;
    const parts = { decode, prefixBytes: BATCH_PREFIX_BYTES, report: noReport, decoder: null };
    this.dealer = new Dealer({ batchMaxBytes: 1, memory: new FetchedMemory(), ...parts });
    this.threads = Array.from({ length: threads }, () => this.#begin());
    this.partition.startAt(0n, 0);
  }

  #begin(): Thread {
    const thread = new Thread(++this.#lastId);
    this.dealer.add(thread.proxy);
    return thread;
  }

  /** What the network thread does in a round, with a broker that answers at once. */
  look(): void {
    const { partition, dealer, threads } = this;
    for (let i = 0; i < 3; i++) {
      if (partition.state === 'fetching' && partition.error === null && !partition.hasRecords) {
        const { offset } = partition.fetchPosition;
        partition.fetched.push(new FetchedRecords(stored(Number(offset)), null));
        partition.fetchedTo({
          offset: offset - (offset % BigInt(recordsPerBatch)) + BigInt(recordsPerBatch),
          leaderEpoch: 0,
        });
      }
      dealer.poll([partition], ++this.now);
    }
    for (const { proxy, held } of threads) {
      proxy.flush();
      for (const batch of held) assert.equal(batch.lost, false, `the batch at ${batch.firstOffset} is lost`);
    }
  }

  take(thread: Thread): void {
    const { held, link, upTo } = thread;
    link.drain();
    const ready = link.take();
    if (ready === undefined) return;
    if (!(ready instanceof ConsumerBatch)) {
      assert.ok(ready instanceof CorruptBatchError);
      assert.equal(this.next, end, 'an error that comes before the records before it');
      this.raisedTo = thread;
      this.raises++;
      return;
    }
    assert.equal(Number(ready.firstOffset), this.next, 'the next batch');
    assert.equal(String([...ready][0]!.value), `v${this.next}`);
    upTo.set(ready, this.next);
    this.next = Number(ready.nextOffset);
    held.push(ready);
  }

  /** Marks all of a batch as done, or a part. */
  mark({ held, upTo }: Thread, isWhole: boolean): void {
    if (held.length === 0) return;
    const at = this.random(held.length);
    const batch = held[at]!;
    const from = upTo.get(batch)!;
    const to = isWhole ? Number(batch.nextOffset) : from + this.random(Number(batch.nextOffset) - from);
    assert.equal(batch.done(to), 'ok');
    upTo.set(batch, to);
    if (batch.isDone) held.splice(at, 1);
  }

  giveBack({ held, upTo }: Thread): void {
    if (held.length === 0) return;
    const at = this.random(held.length);
    const batch = held[at]!;
    batch.giveBack();
    held.splice(at);
    this.#goesBackTo(upTo.get(batch)!);
    this.returns++;
  }

  /** Gives back what the thread has not taken, as `pause` does. */
  returnReady({ link }: Thread): void {
    link.drain();
    link.returnReady(() => true);
  }

  /** The thread ends: only what is done without a gap counts. */
  die(thread: Thread): void {
    const { held, upTo } = thread;
    this.dealer.remove(thread.proxy, [this.partition]);
    thread.close();
    this.threads.splice(this.threads.indexOf(thread), 1, this.#begin());
    if (held.length > 0) this.#goesBackTo(upTo.get(held[0]!)!);
    // Nobody else knows of the error.
    if (this.raisedTo === thread) this.raisedTo = null;
    this.deaths++;
  }

  #goesBackTo(offset: number): void {
    this.next = offset;
    this.raisedTo = null;
  }

  step(): void {
    const thread = this.threads[this.random(this.threads.length)]!;
    const dice = this.random(100);
    if (dice < 30) this.take(thread);
    else if (dice < 50) this.mark(thread, true);
    else if (dice < 60) this.mark(thread, false);
    else if (dice < 66) this.giveBack(thread);
    else if (dice < 69) this.returnReady(thread);
    else if (dice < 70) this.die(thread);
    else this.look();
  }

  /** Everything is taken and done. */
  finish(): void {
    for (
      let round = 0;
      this.next < end || this.raisedTo === null || this.threads.some(({ held }) => held.length > 0);
      round++
    ) {
      assert.ok(round < 1000, `nothing comes behind offset ${this.next}`);
      this.look();
      for (const thread of this.threads) {
        this.take(thread);
        while (thread.held.length > 0) this.mark(thread, true);
      }
    }
    this.look();
    assert.equal(this.partition.donePosition.offset, BigInt(end));
  }
}

for (const threads of [1, 3]) {
  test(`batches of a partition that are given back come again in order, and no others; ${threads} threads`, () => {
    const seen = { raises: 0, returns: 0, deaths: 0 };
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const schedule = new Schedule(seed, threads);
      try {
        for (let i = 0; i < steps; i++) schedule.step();
        schedule.finish();
      } catch (cause) {
        throw new Error(`SEED=${seed}: ${(cause as Error).message}`, { cause });
      } finally {
        for (const thread of schedule.threads) thread.close();
      }
      seen.raises += schedule.raises;
      seen.returns += schedule.returns;
      seen.deaths += schedule.deaths;
    }
    const isTried = seen.raises > seeds && seen.returns > seeds && seen.deaths > seeds;
    assert.ok(isTried || seeds === 1, `too little was tried: ${JSON.stringify(seen)}`);
  });
}

test('an earlier batch that is partly done stays when a later one is given back, and is committed without it', () => {
  const schedule = new Schedule(1, 1);
  const [thread] = schedule.threads as [Thread];
  try {
    schedule.look();
    for (let i = 0; i < 3; i++) schedule.take(thread);
    const [first, second] = thread.held as [ConsumerBatch, ConsumerBatch];
    first.done(1);
    second.done(6);
    second.giveBack();
    thread.held.splice(1);
    schedule.next = 6;
    schedule.look();
    assert.equal(schedule.partition.donePosition.offset, 1n);
    schedule.take(thread);
    assert.equal(String(thread.held[1]!.firstOffset), '6', 'what of it is done does not come again');
    assert.equal(first.done(), 'ok');
    thread.held.shift();
    schedule.look();
    assert.equal(schedule.partition.donePosition.offset, 6n, 'both done parts count');
  } finally {
    thread.close();
  }
});

test('an error waits until the batches before it are taken, because they may be withdrawn for another thread', () => {
  const schedule = new Schedule(1, 1);
  const [thread] = schedule.threads as [Thread];
  const { partition } = schedule;
  try {
    partition.startAt(BigInt(end - recordsPerBatch), 0);
    schedule.next = end - recordsPerBatch;
    schedule.look();
    assert.equal(partition.handed.length, 1);
    assert.ok(partition.error !== null, 'the record behind it was met');
    partition.withdraw();
    thread.link.drain();
    assert.equal(thread.link.take(), undefined);
    schedule.finish();
    assert.equal(schedule.raises, 1);
  } finally {
    thread.close();
  }
});
