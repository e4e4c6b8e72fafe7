// Owns the fetching half of the job: all partitions from their beginning to their end, while the main thread is busy.
// Main thread.
//
//   turn:  pollSync(0) | fetch what is due | event loop once | block of work, 20 ms or more:
//                                                              records of fetched responses, or filler
//
// One fetch per partition is under way at a time, and none is sent while too many records wait. So the memory is limited. A block also
// uses the library to read records. That time counts for the library, not for the work.

import { setImmediate as eventLoop } from 'node:timers/promises';
import type { Progress } from '../../src/cli/io/progress.ts';
import { Fetch, type KafkaClientError } from '../../src/index.ts';
import { Backlog } from './backlog.ts';
import { JobError } from './job-error.ts';
import type { PartitionLedger } from './ledger.ts';
import { PhaseTimes, type TimeShares } from './phase-times.ts';
import { checkCode, patienceMs, type Requester, wasNotSent } from './requester.ts';
import type { Topic } from './topic.ts';
import { Filler, WordCounter } from './work.ts';

export const fetchBytes = 1024 * 1024;
const maxWaitMs = 500;
const retryPauseMs = 100;
/** Records that all replicas have acknowledged can be read at once. Only a new leader may need a moment. */
const lossPatienceMs = 3000;
/** When more bytes than this are fetched but not processed, no fetch is sent. */
const backlogBytes = 16 * 1024 * 1024;
const blockMs = 20;
/** The work of a block takes so many times the library's time before and in it, so that it is more than 90 % of the time. */
const workPerOverhead = 10;
/** A block is never longer than this. */
const maxBlockMs = 1000;

export interface ConsumeResult {
  readonly seconds: number;
  readonly times: TimeShares;
  readonly words: number;
  readonly distinctWords: number;
  readonly fetches: number;
  /** The long block. It only counts in the event-loop delay. Null if there is none. */
  readonly blocked: Blocked | null;
}

export interface Blocked {
  readonly ms: number;
  /** The resident memory of the process directly before and after. */
  readonly rssBytes: readonly [before: number, after: number];
}

/** One partition that is being read. */
interface Reading {
  readonly ledger: PartitionLedger;
  nextOffset: number;
  isFetching: boolean;
  /** Not to be fetched before this time of performance.now(). */
  retryAt: number;
  /** The time of performance.now() since which fetches bring nothing although there should be more. Infinity: they bring records. */
  emptySince: number;
}

export class Consumer {
  readonly #requester: Requester;
  readonly #topic: Topic;
  readonly #progress: Progress;
  readonly #readings: Reading[];
  readonly #backlog: Backlog;
  readonly #words = new WordCounter();
  readonly #filler: Filler;
  readonly #times = new PhaseTimes();
  readonly #expectedRecords: number;
  readonly #blockOnceMs: number;
  #blocked: Blocked | null = null;
  #fetches = 0;
  #firstReading = 0;
  #isRefreshing = false;
  #failure: Error | null = null;

  constructor(
    requester: Requester,
    topic: Topic,
    ledgers: readonly PartitionLedger[],
    options: { readonly sample: Uint8Array; readonly blockMs: number; readonly progress: Progress },
  ) {
    this.#requester = requester;
    this.#topic = topic;
    this.#progress = options.progress;
    this.#filler = new Filler(options.sample);
    this.#blockOnceMs = options.blockMs;
    this.#readings = ledgers.map((ledger) => ({
      ledger,
      nextOffset: 0,
      isFetching: false,
      retryAt: 0,
      emptySince: Number.POSITIVE_INFINITY,
    }));
    this.#backlog = new Backlog(this.#words, this.#times);
    this.#expectedRecords = ledgers.reduce((sum, { produced }) => sum + produced.records, 0);
  }

  /** Throws JobError when records are missing, doubled or out of order, and errors of the client that cannot be retried. */
  async run(): Promise<ConsumeResult> {
    const { client } = this.#requester;
    const times = this.#times;
    times.start();
    let lastRecords = 0;
    let lastProgressAt = performance.now();
    while (this.#backlog.records < this.#expectedRecords) {
      client.pollSync(0);
      this.#fetchWhatIsDue();
      await eventLoop();
      if (this.#failure !== null) throw this.#failure;
      if (this.#blockOnceMs > 0 && this.#blocked === null && this.#backlog.records * 2 >= this.#expectedRecords)
        this.#blockOnce();
      this.#workInBlock();
      this.#showProgress();
      if (this.#backlog.records > lastRecords) {
        lastRecords = this.#backlog.records;
        lastProgressAt = performance.now();
      } else if (performance.now() - lastProgressAt > patienceMs) {
        throw new JobError(`no record came within ${patienceMs / 1000} s; ${this.#missing()}`);
      }
    }
    const shares = times.stop();
    return {
      seconds: shares.phaseMs / 1000,
      times: shares,
      words: this.#words.words,
      distinctWords: this.#words.distinctWords,
      fetches: this.#fetches,
      blocked: this.#blocked,
    };
  }

  // --- library

  #fetchWhatIsDue(): void {
    const readings = this.#readings;
    const now = performance.now();
    for (let i = 0; i < readings.length; i++) {
      if (this.#backlog.bytes >= backlogBytes) break;
      const reading = readings[(this.#firstReading + i) % readings.length]!;
      const isAtEnd = reading.nextOffset >= reading.ledger.produced.records;
      if (!reading.isFetching && !isAtEnd && now >= reading.retryAt) this.#fetch(reading);
    }
    // If a node takes fewer requests than it has partitions, the partitions take turns.
    this.#firstReading = (this.#firstReading + 1) % readings.length;
  }

  #fetch(reading: Reading): void {
    const { client } = this.#requester;
    const { cluster } = client;
    const { partition } = reading.ledger;
    const leader = cluster.leaderForPartition({ topic: this.#topic.name, partition }) ?? -1;
    if (leader === -1) {
      this.#retry(reading, true);
      return;
    }
    if (!client.ready(leader)) return;
    const partitions = [{ partition, fetchOffset: reading.nextOffset, partitionMaxBytes: fetchBytes }];
    const topics = [{ topic: this.#topic.name, topicId: this.#topic.id, partitions }];
    reading.isFetching = true;
    this.#fetches++;
    client
      .send(leader, Fetch, { maxWaitMs, minBytes: 1, maxBytes: fetchBytes, topics })
      .addCallback((response) => this.#onOutcome(reading, () => this.#take(reading, response)))
      .addErrback((error) => this.#onOutcome(reading, () => this.#failed(reading, error)));
  }

  /** A callback of a Future cannot throw to the code that waits, so failures are kept. */
  #onOutcome(reading: Reading, handle: () => void): void {
    reading.isFetching = false;
    try {
      handle();
    } catch (error) {
      this.#failure ??= error as Error;
    }
  }

  #take(reading: Reading, response: ReturnType<typeof Fetch.readResponse>): void {
    try {
      checkCode(response.errorCode);
      const answer = response.responses.at(0).partitions.at(0);
      checkCode(answer.errorCode);
      const { records } = answer;
      if (records.error !== null) throw records.error;
      const nextOffset = records.nextOffset.toNumber();
      if (nextOffset > reading.nextOffset) {
        const { client } = this.#requester;
        this.#backlog.add(reading.ledger.fetched, records.cursor(reading.nextOffset), () => client.recycle(response));
        reading.nextOffset = nextOffset;
        reading.emptySince = Number.POSITIVE_INFINITY;
      } else {
        this.#cameEmpty(reading, answer.highWatermark.toNumber());
      }
    } catch (error) {
      this.#failed(reading, error as Error);
    }
  }

  #cameEmpty(reading: Reading, end: number): void {
    const { partition, produced } = reading.ledger;
    reading.emptySince = Math.min(reading.emptySince, performance.now());
    if (performance.now() - reading.emptySince < lossPatienceMs) return;
    throw new JobError(
      `partition ${partition} ends at offset ${end}, although ${produced.records} records were acknowledged: records were lost`,
    );
  }

  #failed(reading: Reading, error: Error): void {
    if (!wasNotSent(error) && !this.#requester.note(error)) throw error;
    if (!wasNotSent(error)) this.#requester.faults.retried++;
    this.#retry(reading, (error as KafkaClientError).invalidMetadata);
  }

  #retry(reading: Reading, needsMetadata: boolean): void {
    reading.retryAt = performance.now() + retryPauseMs;
    if (!needsMetadata || this.#isRefreshing) return;
    this.#isRefreshing = true;
    this.#requester.refreshMetadata().then(
      () => {
        this.#isRefreshing = false;
      },
      (error: Error) => {
        this.#failure ??= error;
      },
    );
  }

  // --- work

  #workInBlock(): void {
    const times = this.#times;
    const overheadMs = times.enterBlock();
    const startedAt = performance.now();
    const readingBefore = times.readingMs;
    for (;;) {
      const elapsedMs = performance.now() - startedAt;
      const readingMs = times.readingMs - readingBefore;
      const dueMs = Math.min(maxBlockMs, (overheadMs + readingMs) * workPerOverhead);
      if (elapsedMs >= blockMs && elapsedMs - readingMs >= dueMs) break;
      if (!this.#backlog.workOn()) this.#filler.workOn();
    }
    times.leaveBlock();
  }

  /** Blocks the main thread for a long time. The client must not be affected. */
  #blockOnce(): void {
    const before = process.memoryUsage.rss();
    this.#progress.say(`blocking the main thread for ${this.#blockOnceMs} ms`);
    const ms = this.#times.leaveOut(() => this.#filler.workFor(this.#blockOnceMs));
    this.#blocked = { ms, rssBytes: [before, process.memoryUsage.rss()] };
  }

  #showProgress(): void {
    const { records, payloadBytes } = this.#backlog;
    this.#progress.update({ share: records / this.#expectedRecords, bytes: payloadBytes, records });
  }

  #missing(): string {
    const { ledger } = this.#readings.find(
      (reading) => reading.ledger.fetched.records < reading.ledger.produced.records,
    )!;
    const { partition, fetched, produced } = ledger;
    return `partition ${partition} stands at ${fetched.records} of ${produced.records}`;
  }
}
