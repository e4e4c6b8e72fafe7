// Owns every offset of the counters, and makes and opens their memory. Runs on every thread.
// Must not change a counter: counters.ts does.

import { IllegalStateError, RingCorruptError } from '../common/errors/errors.ts';
import { LANE_NAMES_BYTES, type LaneNamesMemory } from './lane-names.ts';
import { nodeErrorsBytes } from './node-errors.ts';

/*
 * One SharedArrayBuffer. Only the network thread writes it:
 *
 *       0  +---------------+--------------+----------------+----------------+
 *          | MAGIC         | NODE_CAPACITY|  written once, by createCounters|
 *     128  +---------------+--------------+----------------+----------------+
 *          | STATE         | nothing      | TURNS          | METADATA_FLAGS |
 *     144  | NODE_COUNT    | NODE_VERSION | NO_ROW_COUNT   | METADATA_DUE_MS|
 *     160  | LANE_COUNT    | ATTACHMENTS  |                                 |
 *     256  +---------------+--------------+----------------+----------------+
 *          | names of lanes, see lane-names.ts                              |
 *    1408  +----------------------------------------------------------------+
 *          | NODE_CAPACITY rows of node words, 8 words each                 |
 *          +----------------------------------------------------------------+
 *
 * A row of node words:
 *
 *       +--------+-------+----------+------------------+------------------+----------------+-------+----------+
 *       | nodeId | state | inFlight | internalInFlight | throttledUntilMs | backoffUntilMs | flags | brokerId |
 *       +--------+-------+----------+------------------+------------------+----------------+-------+----------+
 *
 * Bits 16 to 21 of flags are the number of the row's lane, and the bits above them its scope.
 * Rows below NODE_COUNT may be in use (ROW_USED); NODE_VERSION changes last whenever the set of nodes does. Times are uint32
 * ms of monotonicNowMs, compared modulo 2^32, and mean something only with their flag.
 */

const MAGIC_WORD = 0;
const NODE_CAPACITY_WORD = 1;
export const STATE_WORD = 32;
export const TURNS_WORD = 34;
/** METADATA_IN_FLIGHT, METADATA_DUE_KNOWN. */
export const METADATA_FLAGS_WORD = 35;
export const NODE_COUNT_WORD = 36;
export const NODE_VERSION_WORD = 37;
export const METADATA_DUE_WORD = 39;
/** A refresh is under way. */
export const METADATA_IN_FLIGHT = 1;
/** METADATA_DUE_MS says when the next one may begin. */
export const METADATA_DUE_KNOWN = 2;
export const NO_ROW_COUNT_WORD = 38;
const LANE_COUNT_WORD = 40;
export const ATTACHMENTS_WORD = 41;
const LANES_OFFSET = 256;
const LANES_WORD = LANES_OFFSET >>> 2;
const NODES_OFFSET = 1408;
export const NODES_WORD = NODES_OFFSET >>> 2;

/** A row of node words starts at NODES_WORD + row * ROW_WORDS. */
export const ROW_WORDS = 8;
export const ROW_NODE_ID = 0;
export const ROW_STATE = 1;
export const ROW_IN_FLIGHT = 2;
export const ROW_INTERNAL_IN_FLIGHT = 3;
export const ROW_THROTTLED_UNTIL = 4;
export const ROW_BACKOFF_UNTIL = 5;
export const ROW_FLAGS = 6;
export const ROW_BROKER_ID = 7;
export const ROW_USED = 1;
export const ROW_THROTTLED = 2;
export const ROW_BACKOFF = 4;
export const ROW_HELD_BACK = 8;
export const ROW_LANE_SHIFT = 16;
export const ROW_LANE_MASK = 0x3f;
export const ROW_SCOPE_SHIFT = 22;

/** "CNTR" in ASCII. */
const MAGIC = 0x434e5452;

/** State of the network thread: not yet serving. */
export const STATE_STARTING = 0;
export const STATE_RUNNING = 1;
/** Ended, or about to: nothing more will be answered. */
export const STATE_CLOSED = 2;
/** Ended without being asked to. */
export const STATE_LOST = 3;

/** State of a node's connection: nothing known, never connected. */
export const NODE_UNKNOWN = 0;
/** Had a connection or an attempt; backoff may apply. */
export const NODE_DISCONNECTED = 1;
export const NODE_CONNECTING = 2;
export const NODE_CONNECTED = 3;

/** What nodeRow and addNode return for a node without a row. */
export const NO_ROW = -1;

export const DEFAULT_NODE_CAPACITY = 1024;
const MAX_NODE_CAPACITY = 2 ** 20;

/**
 * Makes the counters of one network thread, all zero.
 * @param nodeCapacity rows of the node table, an integer from 1 to 2^20, default 1024 (1.1 MiB, most of it never touched)
 */
export function createCounters(nodeCapacity = DEFAULT_NODE_CAPACITY): SharedArrayBuffer {
  if (!isNodeCapacity(nodeCapacity)) {
    throw new IllegalStateError(
      `node table of ${nodeCapacity} rows, must be an integer from 1 to ${MAX_NODE_CAPACITY}`,
    );
  }
  const buffer = new SharedArrayBuffer(countersBytes(nodeCapacity));
  const i32 = new Int32Array(buffer);
  i32[NODE_CAPACITY_WORD] = nodeCapacity;
  i32[MAGIC_WORD] = MAGIC;
  return buffer;
}

/** One thread's views of the counters. */
export interface CountersMemory {
  i32: Int32Array;
  nodeErrors: Int32Array;
  nodeCapacity: number;
}

/** Where the names of lanes lie. */
export function laneNamesIn(i32: Int32Array): LaneNamesMemory {
  return { i32, firstWord: LANES_WORD, countWord: LANE_COUNT_WORD };
}

/** Views of what createCounters made. @throws RingCorruptError when the buffer is something else */
export function openCounters(buffer: SharedArrayBuffer): CountersMemory {
  if (buffer.byteLength < countersBytes(1)) {
    throw new RingCorruptError(`counters of ${buffer.byteLength} bytes, expected at least ${countersBytes(1)}`);
  }
  const i32 = new Int32Array(buffer);
  const nodeCapacity = i32[NODE_CAPACITY_WORD]!;
  if (i32[MAGIC_WORD] !== MAGIC || !isNodeCapacity(nodeCapacity) || buffer.byteLength !== countersBytes(nodeCapacity)) {
    throw new RingCorruptError(
      `counters of ${buffer.byteLength} bytes with magic ${i32[MAGIC_WORD]} and ${nodeCapacity} rows, expected magic ${MAGIC}`,
    );
  }
  return { i32, nodeErrors: new Int32Array(buffer, nodeErrorsOffset(nodeCapacity)), nodeCapacity };
}

if (LANES_OFFSET + LANE_NAMES_BYTES > NODES_OFFSET) throw new Error('names of lanes do not fit before the node table');

function isNodeCapacity(rows: number): boolean {
  return Number.isInteger(rows) && rows >= 1 && rows <= MAX_NODE_CAPACITY;
}

function nodeErrorsOffset(nodeCapacity: number): number {
  return NODES_OFFSET + nodeCapacity * ROW_WORDS * 4;
}

function countersBytes(nodeCapacity: number): number {
  return nodeErrorsOffset(nodeCapacity) + nodeErrorsBytes(nodeCapacity);
}
