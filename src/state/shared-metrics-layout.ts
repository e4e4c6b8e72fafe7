// Owns every offset of the metrics' memory, the names of its slots, and makes and opens it. Runs on every thread. Must not
// change a value: shared-metrics.ts does.

import { IllegalStateError, RingCorruptError } from '../common/errors/errors.ts';

/*
 * One SharedArrayBuffer with one writer, the network thread. Row 0 holds the totals, row 1 + r the node of row r of the
 * node table (counters-layout.ts). Every value is there three times:
 *
 *       0  +-----------------+-----------------+-----------------+-----------------+
 *          | MAGIC           | ROWS            | VERSION         | WINDOW_MS       |   int32
 *      16  +-----------------+-----------------+-----------------+-----------------+
 *          | CURRENT_START                     | PREVIOUS_START                    |   float64, ms of monotonicNowMs
 *      32  +-----------------------------------+-----------------------------------+
 *          | row: SLOTS values now | the same at CURRENT_START | at PREVIOUS_START |   float64
 *          | ... ROWS of them                                                      |
 *          +-----------------------------------------------------------------------+
 *
 * Counters only grow, so what happened in a window is a difference, and recording is one addition. For a maximum the three
 * places are that of the current window, that of the previous one, and nothing; a gauge is only ever `now`. VERSION is odd
 * while windows move on or a row changes hands: whoever reads then starts again. Values themselves are plain stores of one
 * writer. A float64 at a multiple of 8 is written in one piece by every 64-bit machine; on a 32-bit one a reader may once
 * see half of an addition, which nothing but that one reading depends on.
 */

const MAGIC_WORD = 0;
export const ROWS_WORD = 1;
export const VERSION_WORD = 2;
const WINDOW_MS_WORD = 3;
export const CURRENT_START = 2;
export const PREVIOUS_START = 3;
const ROWS_OFFSET = 32;
/** Index in float64 of the first row. */
export const FIRST_ROW = ROWS_OFFSET / 8;
export const SLOTS = 36;
/** A row in float64: now, current, previous. */
export const ROW_VALUES = SLOTS * 3;
export const TOTALS_ROW = 0;

/** "METR" in ASCII. */
const MAGIC = 0x4d455452;

/** What slots hold: `total` only grows, `max` is that of a window, `gauge` what is now. */
type SlotTable = Readonly<Record<string, readonly [slot: number, kind: 'total' | 'max' | 'gauge']>>;

/** Name to slot. */
export type SlotNumbers<Name extends string> = Readonly<Record<Name, number>>;

export function slotNumbers<Table extends SlotTable>(table: Table): SlotNumbers<keyof Table & string> {
  const numbers = Object.fromEntries(Object.entries(table).map(([name, [slot]]) => [name, slot]));
  return Object.freeze(numbers) as SlotNumbers<keyof Table & string>;
}

/** Slots of maxima. */
export function slotsOfMaxima(table: SlotTable): readonly number[] {
  return Object.values(table)
    .filter(([, kind]) => kind === 'max')
    .map(([slot]) => slot);
}

/** The slots of a client and its nodes. */
export const slots = {
  connectionsCreated: [0, 'total'],
  connectionsClosed: [1, 'total'],
  requests: [2, 'total'],
  requestBytes: [3, 'total'],
  requestBytesMax: [4, 'max'],
  responses: [5, 'total'],
  responseBytes: [6, 'total'],
  latencyMs: [7, 'total'],
  latencyMsMax: [8, 'max'],
  throttleMs: [9, 'total'],
  throttleMsMax: [10, 'max'],
  requestsTimedOut: [11, 'total'],
  // From here on in the totals only.
  rounds: [12, 'total'],
  waitNs: [13, 'total'],
  roundNs: [14, 'total'],
  roundNsMax: [15, 'max'],
  accepted: [16, 'total'],
  succeeded: [17, 'total'],
  failed: [18, 'total'],
  metadataRefreshes: [19, 'total'],
  metadataFailures: [20, 'total'],
  protocolErrors: [21, 'total'],
  unexpectedErrors: [22, 'total'],
  connectionCount: [23, 'gauge'],
  mutedConnections: [24, 'gauge'],
  poolTasks: [25, 'gauge'],
  poolBytes: [26, 'gauge'],
  startedOver: [27, 'total'],
  responsesWithExtraBytes: [28, 'total'],
  blockedThreads: [29, 'gauge'],
  threadsBlocked: [30, 'total'],
  threadBlockedMsMax: [31, 'max'],
  waitingRequests: [32, 'gauge'],
} as const satisfies SlotTable;

export type SlotName = keyof typeof slots;

export const slotOf = slotNumbers(slots);
export const maxSlots = slotsOfMaxima(slots);

/** How long a window is; there are two. */
export const DEFAULT_WINDOW_MS = 30_000;

/**
 * Makes the memory, all zero.
 * @param nodeCapacity as many rows as the node table has
 */
export function createMetrics(nodeCapacity: number, windowMs = DEFAULT_WINDOW_MS): SharedArrayBuffer {
  if (!Number.isInteger(nodeCapacity) || nodeCapacity < 1 || !Number.isInteger(windowMs) || windowMs < 1) {
    throw new IllegalStateError(`metrics of ${nodeCapacity} nodes and ${windowMs} ms: both must be integers from 1`);
  }
  const buffer = new SharedArrayBuffer(metricsBytes(nodeCapacity + 1));
  const i32 = new Int32Array(buffer, 0, ROWS_OFFSET / 4);
  i32[ROWS_WORD] = nodeCapacity + 1;
  i32[WINDOW_MS_WORD] = windowMs;
  i32[MAGIC_WORD] = MAGIC;
  return buffer;
}

/** One thread's views of the metrics. */
export interface MetricsMemory {
  readonly i32: Int32Array;
  readonly f64: Float64Array;
  readonly rows: number;
  readonly windowMs: number;
}

/** Views of what createMetrics made. @throws RingCorruptError when the buffer is something else */
export function openMetrics(buffer: SharedArrayBuffer): MetricsMemory {
  const i32 = new Int32Array(buffer);
  const rows = i32[ROWS_WORD] ?? 0;
  if (i32[MAGIC_WORD] !== MAGIC || buffer.byteLength !== metricsBytes(rows)) {
    throw new RingCorruptError(`metrics of ${buffer.byteLength} bytes with magic ${i32[MAGIC_WORD]} and ${rows} rows`);
  }
  return { i32, f64: new Float64Array(buffer), rows, windowMs: i32[WINDOW_MS_WORD]! };
}

function metricsBytes(rows: number): number {
  return ROWS_OFFSET + rows * ROW_VALUES * 8;
}
