// Owns the metrics of one consumer: what is recorded, and when. Network thread. Must not compute rates: readers do that, from totals and
// windows.

import {
  type ConsumerMetricsMemory,
  type ConsumerSlot,
  ConsumerTimes,
  consumerMaxSlots,
  consumerSlotOf,
} from '../../state/consumer-metrics.ts';
import type { BufferedBytes, ConsumerReport } from '../consumer/consumer-report.ts';
import { TopicRecorder } from './topic-recorder.ts';

export class ConsumerRecorder implements ConsumerReport {
  readonly #metrics: TopicRecorder<ConsumerSlot>;
  readonly #times: ConsumerTimes;

  constructor(memory: ConsumerMetricsMemory, now: number) {
    this.#metrics = new TopicRecorder(memory, consumerSlotOf, consumerMaxSlots, now);
    this.#times = new ConsumerTimes(memory.times);
  }

  fetched(durationMs: number, bytes: number, throttleTimeMs: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('fetches', 1);
    this.#metrics.add('fetchedBytes', bytes);
    this.#metrics.max('fetchedBytesMax', bytes);
    this.#timed('fetchMs', durationMs);
    this.#timed('throttleMs', throttleTimeMs);
  }

  handedOut(topic: string, records: number, bytes: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.addBoth(topic, 'records', records);
    this.#metrics.addBoth(topic, 'bytes', bytes);
  }

  roundEnded(partitions: readonly BufferedBytes[], now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.set(
      'bufferedBytes',
      partitions.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0),
    );
  }

  commitEnded(durationMs: number, isCommitted: boolean, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('commits', 1);
    if (!isCommitted) this.#metrics.add('failedCommits', 1);
    this.#timed('commitMs', durationMs);
  }

  committedAnswered(durationMs: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('committedMs', durationMs);
  }

  heartbeatAnswered(durationMs: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('heartbeats', 1);
    this.#metrics.max('heartbeatMsMax', durationMs);
    this.#times.set('heartbeat', now);
  }

  joined(durationMs: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('joins', 1);
    this.#timed('joinMs', durationMs);
  }

  synced(durationMs: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('syncs', 1);
    this.#timed('syncMs', durationMs);
  }

  rebalanced(durationMs: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('rebalances', 1);
    this.#timed('rebalanceMs', durationMs);
    this.#times.set('rebalance', now);
  }

  rebalanceFailed(now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('failedRebalances', 1);
  }

  /**
   * An application thread has asked for records `count` times since this was called for it.
   * @param gapMs  from the last time before to the last time now; null: it has never asked before
   * @param idleMs how long it waited for records
   */
  polled(count: number, gapMs: number | null, idleMs: number, now: number): void {
    this.#metrics.moveOn(now);
    this.#metrics.add('polls', count);
    this.#metrics.add('pollIdleMs', idleMs);
    this.#times.set('poll', now);
    if (gapMs !== null) this.#timed('pollGapMs', gapMs);
  }

  /** A total, and the greatest of its parts. */
  #timed(
    slot: 'fetchMs' | 'throttleMs' | 'commitMs' | 'joinMs' | 'syncMs' | 'rebalanceMs' | 'pollGapMs',
    ms: number,
  ): void {
    this.#metrics.add(slot, ms);
    this.#metrics.max(`${slot}Max`, ms);
  }
}
