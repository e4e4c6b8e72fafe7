// Owns the writing of the state that the network thread publishes for all threads: its life and the node table. Network thread.
// Everything here is advice to readers: what they read may be out of date the next moment, so decisions that matter are made in the
// network thread.

import { mainLane, nodeKey, sharedScope } from '../common/node-ids.ts';
import {
  ATTACHMENTS_WORD,
  laneNamesIn,
  METADATA_DUE_KNOWN,
  METADATA_DUE_WORD,
  METADATA_FLAGS_WORD,
  METADATA_IN_FLIGHT,
  NO_ROW,
  NO_ROW_COUNT_WORD,
  NODE_COUNT_WORD,
  NODE_UNKNOWN,
  NODE_VERSION_WORD,
  NODES_WORD,
  openCounters,
  ROW_BACKOFF,
  ROW_BACKOFF_UNTIL,
  ROW_BROKER_ID,
  ROW_FLAGS,
  ROW_HELD_BACK,
  ROW_IN_FLIGHT,
  ROW_INTERNAL_IN_FLIGHT,
  ROW_LANE_SHIFT,
  ROW_NODE_ID,
  ROW_SCOPE_SHIFT,
  ROW_STATE,
  ROW_THROTTLED,
  ROW_THROTTLED_UNTIL,
  ROW_USED,
  ROW_WORDS,
  STATE_WORD,
  TURNS_WORD,
} from './counters-layout.ts';
import { LaneNamesWriter, NO_LANE } from './lane-names.ts';
import { NodeErrorsWriter } from './node-errors.ts';

export {
  createCounters,
  DEFAULT_NODE_CAPACITY,
  NO_ROW,
  NODE_CONNECTED,
  NODE_CONNECTING,
  NODE_DISCONNECTED,
  NODE_UNKNOWN,
  STATE_CLOSED,
  STATE_LOST,
  STATE_RUNNING,
  STATE_STARTING,
} from './counters-layout.ts';
export { CountersReader } from './counters-reader.ts';

/** Delays are clamped to this, 12 days: half the range in which wrapped times still compare. */
const MAX_DELAY_MS = 2 ** 30;
/** How often past times are cleared: well before a wrapped one could look like the future. */
const SWEEP_MS = 60_000;

/** The writing end, on the network thread. After that thread's exit the one that started it may open it to set STATE_CLOSED. */
export class CountersWriter {
  readonly #i32: Int32Array;
  readonly #nodeCapacity: number;
  readonly #nodeErrors: NodeErrorsWriter;
  readonly #lanes: LaneNamesWriter;
  /** By the node's key. */
  readonly #rows = new Map<number, number>();
  readonly #freeRows: number[] = [];
  /** Rows that were ever used. It leads to places in memory, so it is not read where any thread may have overwritten it. */
  #rowCount = 0;
  #sweepAtMs = 0;

  constructor(buffer: SharedArrayBuffer) {
    const memory = openCounters(buffer);
    this.#i32 = memory.i32;
    this.#nodeCapacity = memory.nodeCapacity;
    this.#nodeErrors = new NodeErrorsWriter(memory.nodeErrors);
    this.#lanes = new LaneNamesWriter(laneNamesIn(memory.i32));
  }

  /** How many nodes can have a row. */
  get nodeCapacity(): number {
    return this.#nodeCapacity;
  }

  setState(state: number): void {
    // Atomic: readers that see CLOSED also see whatever was written before.
    Atomics.store(this.#i32, STATE_WORD, state);
  }

  /** How many application threads are attached, with handles that were not opened yet. */
  setAttachments(count: number): void {
    Atomics.store(this.#i32, ATTACHMENTS_WORD, count);
  }

  /** Once per turn. @param nowMs of monotonicNowMs */
  heartbeat(nowMs: number): void {
    // Atomic, as all words here that others poll: never held back or torn.
    Atomics.store(this.#i32, TURNS_WORD, (this.#i32[TURNS_WORD]! + 1) | 0);
    if (nowMs >= this.#sweepAtMs) {
      this.#sweepAtMs = nowMs + SWEEP_MS;
      this.#sweep(nowMs);
    }
  }

  /**
   * The node's row, made in state NODE_UNKNOWN if there is none.
   * @param lane  name of the connection
   * @param scope whose connection it is
   * @returns NO_ROW when the table is full, or has too many lanes: applications then do not know the node, and
   * `nodesWithoutRow` counts it. Every setter ignores NO_ROW.
   */
  addNode(nodeId: number, brokerId = nodeId, lane = mainLane, scope = sharedScope): number {
    const key = nodeKey(nodeId, scope);
    const existing = this.#rows.get(key);
    if (existing !== undefined) return existing;
    const laneNumber = this.#lanes.number(lane);
    const row = laneNumber === NO_LANE ? NO_ROW : this.#freeRow();
    if (row === NO_ROW) {
      Atomics.store(this.#i32, NO_ROW_COUNT_WORD, (this.#i32[NO_ROW_COUNT_WORD]! + 1) | 0);
      return NO_ROW;
    }
    for (let word = ROW_STATE; word < ROW_WORDS; word++) this.#setWord(row, word, 0);
    this.#nodeErrors.set(row, '');
    this.#setWord(row, ROW_NODE_ID, nodeId);
    this.#setWord(row, ROW_BROKER_ID, brokerId);
    this.#setWord(row, ROW_FLAGS, ROW_USED | (laneNumber << ROW_LANE_SHIFT) | (scope << ROW_SCOPE_SHIFT));
    this.#rows.set(key, row);
    if (row === this.#rowCount) Atomics.store(this.#i32, NODE_COUNT_WORD, ++this.#rowCount);
    this.#publishNodes();
    return row;
  }

  /** Whether `addNode` of another node would find no room. */
  get isFull(): boolean {
    return this.#freeRows.length === 0 && this.#rowCount >= this.#nodeCapacity;
  }

  /** Frees the row of a node that has gone; another node may get it. */
  removeNode(key: number): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.delete(key);
    this.#setWord(row, ROW_STATE, NODE_UNKNOWN);
    this.#setWord(row, ROW_FLAGS, 0);
    this.#freeRows.push(row);
    this.#publishNodes();
  }

  /** The node's row, or NO_ROW. */
  nodeRow(key: number): number {
    return this.#rows.get(key) ?? NO_ROW;
  }

  /** @param state one of the NODE_ constants */
  setNodeState(row: number, state: number): void {
    if (row !== NO_ROW) this.#setWord(row, ROW_STATE, state);
  }

  /** Requests in flight to the node, of all attachments and of the network thread itself. */
  setInFlight(row: number, requests: number): void {
    if (row !== NO_ROW) this.#setWord(row, ROW_IN_FLIGHT, requests);
  }

  /** Requests of the network thread itself, among those of setInFlight. */
  setInternalInFlight(row: number, requests: number): void {
    if (row !== NO_ROW) this.#setWord(row, ROW_INTERNAL_IN_FLIGHT, requests);
  }

  /** @param untilMs of monotonicNowMs, or null: not throttled */
  setThrottledUntil(row: number, untilMs: number | null, nowMs: number): void {
    if (row !== NO_ROW) this.#setTime(row, ROW_THROTTLED_UNTIL, ROW_THROTTLED, untilMs, nowMs);
  }

  /** @param untilMs of monotonicNowMs, or null: none */
  setBackoffUntil(row: number, untilMs: number | null, nowMs: number): void {
    if (row !== NO_ROW) this.#setTime(row, ROW_BACKOFF_UNTIL, ROW_BACKOFF, untilMs, nowMs);
  }

  /** @param isHeldBack the node's peer does not read what was sent */
  setHeldBack(row: number, isHeldBack: boolean): void {
    if (row === NO_ROW) return;
    const flags = this.#i32[NODES_WORD + row * ROW_WORDS + ROW_FLAGS]!;
    this.#setWord(row, ROW_FLAGS, isHeldBack ? flags | ROW_HELD_BACK : flags & ~ROW_HELD_BACK);
  }

  /** @param text of the node's last error, '' for none; see node-errors.ts for how long it may be */
  setNodeError(row: number, text: string): void {
    if (row !== NO_ROW) this.#nodeErrors.set(row, text);
  }

  /** @param ttlMs until the next metadata refresh may begin, Infinity while one is under way */
  setMetadata(ttlMs: number, nowMs: number): void {
    const isInFlight = ttlMs === Number.POSITIVE_INFINITY;
    // The time before the flag that makes it count.
    if (!isInFlight) Atomics.store(this.#i32, METADATA_DUE_WORD, Math.ceil(nowMs + Math.min(ttlMs, MAX_DELAY_MS)) | 0);
    Atomics.store(this.#i32, METADATA_FLAGS_WORD, isInFlight ? METADATA_IN_FLIGHT : METADATA_DUE_KNOWN);
  }

  #freeRow(): number {
    return this.#freeRows.pop() ?? (this.#rowCount < this.#nodeCapacity ? this.#rowCount : NO_ROW);
  }

  #setWord(row: number, word: number, value: number): void {
    // Atomic: readers on other threads look whenever they like.
    Atomics.store(this.#i32, NODES_WORD + row * ROW_WORDS + word, value);
  }

  #setTime(row: number, word: number, flag: number, untilMs: number | null, nowMs: number): void {
    const flags = this.#i32[NODES_WORD + row * ROW_WORDS + ROW_FLAGS]!;
    if (untilMs === null || untilMs <= nowMs) {
      this.#setWord(row, ROW_FLAGS, flags & ~flag);
      return;
    }
    // Rounded up, so that no reader takes it for over too early. The time is stored before the flag that makes it count.
    this.#setWord(row, word, Math.ceil(Math.min(untilMs, nowMs + MAX_DELAY_MS)) | 0);
    this.#setWord(row, ROW_FLAGS, flags | flag);
  }

  #publishNodes(): void {
    // Last: a reader that sees this version sees the rows.
    Atomics.store(this.#i32, NODE_VERSION_WORD, (this.#i32[NODE_VERSION_WORD]! + 1) | 0);
  }

  #sweep(nowMs: number): void {
    for (const row of this.#rows.values()) {
      const start = NODES_WORD + row * ROW_WORDS;
      let flags = this.#i32[start + ROW_FLAGS]!;
      if ((flags & ROW_THROTTLED) !== 0 && ((this.#i32[start + ROW_THROTTLED_UNTIL]! - nowMs) | 0) <= 0) {
        flags &= ~ROW_THROTTLED;
      }
      if ((flags & ROW_BACKOFF) !== 0 && ((this.#i32[start + ROW_BACKOFF_UNTIL]! - nowMs) | 0) <= 0) {
        flags &= ~ROW_BACKOFF;
      }
      this.#setWord(row, ROW_FLAGS, flags);
    }
  }
}
