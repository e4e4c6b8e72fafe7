// Owns the state that the network thread publishes for all threads: its life and the node table.
// CountersWriter runs on the network thread only; CountersReader on any. Everything here is advice to readers: what they
// read may be out of date the next moment, so decisions that matter are made in the network thread.

import { RingCorruptError } from '../common/errors/errors.ts';
import { mainLane } from '../common/node-ids.ts';
import {
  LANE_COUNT_WORD,
  LANES_WORD,
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
  ROW_STATE,
  ROW_THROTTLED,
  ROW_THROTTLED_UNTIL,
  ROW_USED,
  ROW_WORDS,
  STATE_CLOSED,
  STATE_WORD,
  TURNS_WORD,
} from './counters-layout.ts';
import { LaneNamesReader, LaneNamesWriter, NO_LANE } from './lane-names.ts';
import { NodeErrorsReader, NodeErrorsWriter } from './node-errors.ts';

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
  readonly #rows = new Map<number, number>();
  readonly #freeRows: number[] = [];
  #sweepAtMs = 0;

  constructor(buffer: SharedArrayBuffer) {
    const memory = openCounters(buffer);
    this.#i32 = memory.i32;
    this.#nodeCapacity = memory.nodeCapacity;
    this.#nodeErrors = new NodeErrorsWriter(memory.nodeErrors);
    this.#lanes = new LaneNamesWriter(laneNames(memory.i32));
  }

  setState(state: number): void {
    // Atomic: readers that see CLOSED also see whatever was written before.
    Atomics.store(this.#i32, STATE_WORD, state);
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
   * @param lane name of the connection
   * @returns NO_ROW when the table is full, or has too many lanes: applications then do not know the node, and
   * `nodesWithoutRow` counts it. Every setter ignores NO_ROW.
   */
  addNode(nodeId: number, brokerId = nodeId, lane = mainLane): number {
    const existing = this.#rows.get(nodeId);
    if (existing !== undefined) return existing;
    const count = this.#i32[NODE_COUNT_WORD]!;
    const laneNumber = this.#lanes.number(lane);
    const row = laneNumber === NO_LANE ? NO_ROW : this.#freeRow(count);
    if (row === NO_ROW) {
      Atomics.store(this.#i32, NO_ROW_COUNT_WORD, (this.#i32[NO_ROW_COUNT_WORD]! + 1) | 0);
      return NO_ROW;
    }
    for (let word = ROW_STATE; word < ROW_WORDS; word++) this.#setWord(row, word, 0);
    this.#nodeErrors.set(row, '');
    this.#setWord(row, ROW_NODE_ID, nodeId);
    this.#setWord(row, ROW_BROKER_ID, brokerId);
    this.#setWord(row, ROW_FLAGS, ROW_USED | (laneNumber << ROW_LANE_SHIFT));
    this.#rows.set(nodeId, row);
    if (row === count) Atomics.store(this.#i32, NODE_COUNT_WORD, count + 1);
    this.#publishNodes();
    return row;
  }

  /** Whether `addNode` of another node would find no room. */
  get isFull(): boolean {
    return this.#freeRows.length === 0 && this.#i32[NODE_COUNT_WORD]! >= this.#nodeCapacity;
  }

  /** Frees the row of a node that has gone; another node may get it. */
  removeNode(nodeId: number): void {
    const row = this.#rows.get(nodeId);
    if (row === undefined) return;
    this.#rows.delete(nodeId);
    this.#setWord(row, ROW_STATE, NODE_UNKNOWN);
    this.#setWord(row, ROW_FLAGS, 0);
    this.#freeRows.push(row);
    this.#publishNodes();
  }

  /** The node's row, or NO_ROW. */
  nodeRow(nodeId: number): number {
    return this.#rows.get(nodeId) ?? NO_ROW;
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

  #freeRow(count: number): number {
    return this.#freeRows.pop() ?? (count < this.#nodeCapacity ? count : NO_ROW);
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

/** The reading end, on any thread. Rows come from `nodeRow` and must not be kept: a row may change hands. */
export class CountersReader {
  readonly buffer: SharedArrayBuffer;
  readonly #i32: Int32Array;
  readonly #nodeCapacity: number;
  readonly #nodeErrors: NodeErrorsReader;
  readonly #lanes: LaneNamesReader;
  readonly #rows = new Map<number, number>();
  /** Rows of lanes, by lane number and broker id. */
  readonly #laneRows = new Map<number, Map<number, number>>();
  #rowsVersion = 0;

  constructor(buffer: SharedArrayBuffer) {
    const memory = openCounters(buffer);
    this.buffer = buffer;
    this.#i32 = memory.i32;
    this.#nodeCapacity = memory.nodeCapacity;
    this.#nodeErrors = new NodeErrorsReader(memory.nodeErrors);
    this.#lanes = new LaneNamesReader(laneNames(memory.i32));
  }

  /** One of the STATE_ constants. */
  state(): number {
    // Atomic, as all loads here: fresh, and ordered before the reads that follow.
    return Atomics.load(this.#i32, STATE_WORD);
  }

  /** Nothing more will be answered. */
  isEnded(): boolean {
    return this.state() >= STATE_CLOSED;
  }

  /** Rounds of the network thread, moves and turns alike, uint32. */
  turns(): number {
    return Atomics.load(this.#i32, TURNS_WORD) >>> 0;
  }

  /** How often a node found the table full. */
  nodesWithoutRow(): number {
    return Atomics.load(this.#i32, NO_ROW_COUNT_WORD) >>> 0;
  }

  /** The node's row, or NO_ROW. Every getter takes either; for NO_ROW it answers as for an unknown node. */
  nodeRow(nodeId: number): number {
    this.#refreshRows();
    return this.#rows.get(nodeId) ?? NO_ROW;
  }

  /** The node id of a broker's connection in a lane; null when nobody has asked for it, or its broker has left. */
  laneNodeId(brokerId: number, lane: string): number | null {
    this.#refreshRows();
    const row = this.#laneRows.get(this.#lanes.number(lane))?.get(brokerId);
    return row === undefined ? null : this.#word(row, ROW_NODE_ID);
  }

  /** No further lane can be opened. */
  get hasAllLanes(): boolean {
    return this.#lanes.isFull;
  }

  /** The broker's id, of a node in any lane; of a bootstrap server, its node id. */
  brokerId(row: number): number | null {
    return row === NO_ROW ? null : this.#word(row, ROW_BROKER_ID);
  }

  /** Empty for the main lane. */
  lane(row: number): string {
    return row === NO_ROW ? mainLane : this.#lanes.name(this.#word(row, ROW_FLAGS) >>> ROW_LANE_SHIFT);
  }

  /** All nodes that have a row. */
  nodeIds(): number[] {
    this.#refreshRows();
    return [...this.#rows.keys()];
  }

  /** One of the NODE_ constants. */
  nodeState(row: number): number {
    return row === NO_ROW ? NODE_UNKNOWN : this.#word(row, ROW_STATE);
  }

  inFlight(row: number): number {
    return row === NO_ROW ? 0 : this.#word(row, ROW_IN_FLIGHT);
  }

  internalInFlight(row: number): number {
    return row === NO_ROW ? 0 : this.#word(row, ROW_INTERNAL_IN_FLIGHT);
  }

  /** Whether the node may be throttled, or is held back. Only a clock tells whether the throttling is over. */
  mayBeUnready(row: number): boolean {
    return row !== NO_ROW && (this.#word(row, ROW_FLAGS) & (ROW_THROTTLED | ROW_HELD_BACK)) !== 0;
  }

  /** Whether the node's peer does not read what was sent. */
  isHeldBack(row: number): boolean {
    return row !== NO_ROW && (this.#word(row, ROW_FLAGS) & ROW_HELD_BACK) !== 0;
  }

  /** Milliseconds until the node may be sent to, 0 if now. */
  throttleRemainingMs(row: number, nowMs: number): number {
    return row === NO_ROW ? 0 : this.#remainingMs(row, ROW_THROTTLED_UNTIL, ROW_THROTTLED, nowMs);
  }

  /** Milliseconds until the node may be connected to, 0 if now. */
  backoffRemainingMs(row: number, nowMs: number): number {
    return row === NO_ROW ? 0 : this.#remainingMs(row, ROW_BACKOFF_UNTIL, ROW_BACKOFF, nowMs);
  }

  /** Text of the node's last error, '' for none. */
  nodeError(row: number): string {
    return row === NO_ROW ? '' : this.#nodeErrors.get(row);
  }

  /** ms until metadata is due. 0: due now, being refreshed, or never had. */
  metadataTtlMs(nowMs: number): number {
    if (Atomics.load(this.#i32, METADATA_FLAGS_WORD) !== METADATA_DUE_KNOWN) return 0;
    return Math.max(0, (Atomics.load(this.#i32, METADATA_DUE_WORD) - nowMs) | 0);
  }

  #word(row: number, word: number): number {
    return Atomics.load(this.#i32, NODES_WORD + row * ROW_WORDS + word);
  }

  #remainingMs(row: number, word: number, flag: number, nowMs: number): number {
    if ((this.#word(row, ROW_FLAGS) & flag) === 0) return 0;
    const untilMs = this.#word(row, word);
    return Math.max(0, (untilMs - Math.floor(nowMs)) | 0);
  }

  #refreshRows(): void {
    const version = Atomics.load(this.#i32, NODE_VERSION_WORD);
    if (version === this.#rowsVersion) return;
    const count = Atomics.load(this.#i32, NODE_COUNT_WORD);
    if (count < 0 || count > this.#nodeCapacity) {
      throw new RingCorruptError(`node table has ${count} rows, expected 0 to ${this.#nodeCapacity}`);
    }
    this.#rows.clear();
    this.#laneRows.clear();
    for (let row = 0; row < count; row++) {
      const flags = this.#word(row, ROW_FLAGS);
      if ((flags & ROW_USED) === 0) continue;
      this.#rows.set(this.#word(row, ROW_NODE_ID), row);
      if (flags >>> ROW_LANE_SHIFT !== 0) this.#addLaneRow(flags >>> ROW_LANE_SHIFT, row);
    }
    // The version loaded before the rows: a change during the scan leads to another scan.
    this.#rowsVersion = version;
  }

  #addLaneRow(lane: number, row: number): void {
    const rows = this.#laneRows.get(lane) ?? new Map<number, number>();
    this.#laneRows.set(lane, rows.set(this.#word(row, ROW_BROKER_ID), row));
  }
}

function laneNames(i32: Int32Array) {
  return { i32, firstWord: LANES_WORD, countWord: LANE_COUNT_WORD };
}
