// Owns the reading of the state that the network thread publishes for all threads: its life and the node table. Every thread. What
// is read may be out of date the next moment.

import { RingCorruptError } from '../common/errors/errors.ts';
import { isBootstrapId, mainLane, sharedScope } from '../common/node-ids.ts';
import {
  ATTACHMENTS_WORD,
  laneNamesIn,
  METADATA_DUE_KNOWN,
  METADATA_DUE_WORD,
  METADATA_FLAGS_WORD,
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
  ROW_LANE_MASK,
  ROW_LANE_SHIFT,
  ROW_NODE_ID,
  ROW_SCOPE_SHIFT,
  ROW_STATE,
  ROW_THROTTLED,
  ROW_THROTTLED_UNTIL,
  ROW_USED,
  ROW_WORDS,
  STATE_CLOSED,
  STATE_WORD,
  TURNS_WORD,
} from './counters-layout.ts';
import { LaneNamesReader } from './lane-names.ts';
import { NodeErrorsReader } from './node-errors.ts';

/** The reading end, on any thread. Rows come from `nodeRow` and must not be kept: a row may change hands. */
export class CountersReader {
  readonly buffer: SharedArrayBuffer;
  readonly #i32: Int32Array;
  readonly #nodeCapacity: number;
  readonly #nodeErrors: NodeErrorsReader;
  readonly #lanes: LaneNamesReader;
  #scope = sharedScope;
  /** Rows of nodes of this scope, and of bootstrap servers, by node id. */
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
    this.#lanes = new LaneNamesReader(laneNamesIn(memory.i32));
  }

  /** From now on node ids mean the connections of this scope. */
  useScope(scope: number): void {
    this.#scope = scope;
    // Reads the rows again.
    this.#rowsVersion = -1;
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

  /** How many application threads are attached, with handles that were not opened yet. */
  attachments(): number {
    return Atomics.load(this.#i32, ATTACHMENTS_WORD);
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
    return row === NO_ROW ? mainLane : this.#lanes.name(laneOf(this.#word(row, ROW_FLAGS)));
  }

  /** The attachment that the connection belongs to; `sharedScope` for connections that all threads use. */
  scope(row: number): number {
    return row === NO_ROW ? sharedScope : this.#word(row, ROW_FLAGS) >>> ROW_SCOPE_SHIFT;
  }

  /** All rows of nodes, of every scope. */
  allRows(): { readonly row: number; readonly nodeId: number }[] {
    const rows: { row: number; nodeId: number }[] = [];
    const count = this.#rowCount();
    for (let row = 0; row < count; row++) {
      if ((this.#word(row, ROW_FLAGS) & ROW_USED) !== 0) rows.push({ row, nodeId: this.#word(row, ROW_NODE_ID) });
    }
    return rows;
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
    const count = this.#rowCount();
    this.#rows.clear();
    this.#laneRows.clear();
    for (let row = 0; row < count; row++) {
      const flags = this.#word(row, ROW_FLAGS);
      if ((flags & ROW_USED) === 0) continue;
      const nodeId = this.#word(row, ROW_NODE_ID);
      if (flags >>> ROW_SCOPE_SHIFT !== this.#scope && !isBootstrapId(nodeId)) continue;
      this.#rows.set(nodeId, row);
      if (laneOf(flags) !== 0) this.#addLaneRow(laneOf(flags), row);
    }
    // The version loaded before the rows: a change during the scan leads to another scan.
    this.#rowsVersion = version;
  }

  #rowCount(): number {
    const count = Atomics.load(this.#i32, NODE_COUNT_WORD);
    if (count < 0 || count > this.#nodeCapacity)
      throw new RingCorruptError(`node table has ${count} rows, expected 0 to ${this.#nodeCapacity}`);
    return count;
  }

  #addLaneRow(lane: number, row: number): void {
    const rows = this.#laneRows.get(lane) ?? new Map<number, number>();
    this.#laneRows.set(lane, rows.set(this.#word(row, ROW_BROKER_ID), row));
  }
}

function laneOf(flags: number): number {
  return (flags >>> ROW_LANE_SHIFT) & ROW_LANE_MASK;
}
