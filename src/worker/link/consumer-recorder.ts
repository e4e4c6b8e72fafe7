// Owns the metrics of one consumer: what is recorded, and when. Network thread. Must not compute rates: readers do that, from totals and
// windows.

import {
  type ConsumerMetricsMemory,
  type ConsumerSlot,
  ConsumerTimes,
  consumerMaxSlots,
  consumerSlotOf,
} from '../../state/consumer-metrics.ts';
import { MetricsWriter, TOTALS_ROW } from '../../state/shared-metrics.ts';
import { TopicRowsWriter } from '../../state/topic-rows.ts';
import type { ConsumerReport } from '../consumer/consumer-report.ts';

export class ConsumerRecorder implements ConsumerReport {
  readonly #writer: MetricsWriter;
  readonly #topics: TopicRowsWriter;
  readonly #times: ConsumerTimes;
  readonly #totals: number;
  /** Where each topic's row begins; -1: it has none. */
  readonly #rows = new Map<string, number>();

  constructor({ values, topics, times }: ConsumerMetricsMemory, now: number) {
    this.#writer = new MetricsWriter(values, now, consumerMaxSlots);
    this.#topics = new TopicRowsWriter(topics);
    this.#times = new ConsumerTimes(times);
    this.#totals = this.#writer.indexOf(TOTALS_ROW, 0);
  }

  fetched(durationMs: number, bytes: number, throttleTimeMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add('fetches', 1);
    this.#add('fetchedBytes', bytes);
    this.#max('fetchedBytesMax', bytes);
    this.#timed('fetchMs', durationMs);
    this.#timed('throttleMs', throttleTimeMs);
  }

  handedOut(topic: string, records: number, bytes: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add('records', records);
    this.#add('bytes', bytes);
    const start = this.#rowOf(topic);
    if (start < 0) return;
    this.#writer.add(start + consumerSlotOf.records, records);
    this.#writer.add(start + consumerSlotOf.bytes, bytes);
  }

  buffered(bytes: number, now: number): void {
    this.#writer.moveOn(now);
    this.#writer.set(this.#totals + consumerSlotOf.bufferedBytes, bytes);
  }

  commitEnded(durationMs: number, isCommitted: boolean, now: number): void {
    this.#writer.moveOn(now);
    this.#add('commits', 1);
    if (!isCommitted) this.#add('failedCommits', 1);
    this.#timed('commitMs', durationMs);
  }

  committedAnswered(durationMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add('committedMs', durationMs);
  }

  heartbeatAnswered(durationMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add('heartbeats', 1);
    this.#max('heartbeatMsMax', durationMs);
    this.#times.set('heartbeat', now);
  }

  joined(durationMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add('joins', 1);
    this.#timed('joinMs', durationMs);
  }

  synced(durationMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add('syncs', 1);
    this.#timed('syncMs', durationMs);
  }

  rebalanced(durationMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add('rebalances', 1);
    this.#timed('rebalanceMs', durationMs);
    this.#times.set('rebalance', now);
  }

  rebalanceFailed(now: number): void {
    this.#writer.moveOn(now);
    this.#add('failedRebalances', 1);
  }

  /**
   * An application thread has asked for records `count` times since this was called for it.
   * @param gapMs  from the last time before to the last time now; null: it has never asked before
   * @param idleMs how long it waited for records
   */
  polled(count: number, gapMs: number | null, idleMs: number, now: number): void {
    this.#writer.moveOn(now);
    this.#add('polls', count);
    this.#add('pollIdleMs', idleMs);
    this.#times.set('poll', now);
    if (gapMs !== null) this.#timed('pollGapMs', gapMs);
  }

  #add(slot: ConsumerSlot, amount: number): void {
    this.#writer.add(this.#totals + consumerSlotOf[slot], amount);
  }

  #max(slot: ConsumerSlot, value: number): void {
    this.#writer.max(this.#totals + consumerSlotOf[slot], value);
  }

  /** A total, and the greatest of its parts. */
  #timed(
    slot: 'fetchMs' | 'throttleMs' | 'commitMs' | 'joinMs' | 'syncMs' | 'rebalanceMs' | 'pollGapMs',
    ms: number,
  ): void {
    this.#add(slot, ms);
    this.#max(`${slot}Max`, ms);
  }

  #rowOf(topic: string): number {
    let start = this.#rows.get(topic);
    if (start === undefined) {
      const { row, isNew } = this.#topics.row(topic);
      start = row < 0 ? -1 : this.#writer.indexOf(row, 0);
      if (isNew) this.#writer.clearRow(row);
      this.#rows.set(topic, start);
    }
    return start;
  }
}
