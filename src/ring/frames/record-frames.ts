// Owns the frames of a producer's records and of their outcomes: the fields of each kind, and the only functions that write and read them.
// Runs on every thread. Must not know what becomes of a record.

import { RingCorruptError } from '../../common/errors/errors.ts';
import type { PlainError } from '../../common/errors/plain-error.ts';
import { highHalf, numberOf } from '../../common/numbers.ts';
import { LINGER_WHILE_BUSY, TrackKind } from '../../common/record-tracking.ts';
import { isTopicName } from '../../common/topic-names.ts';
import type { LinkReader } from '../link-reader.ts';
import type { LinkWriter } from '../link-writer.ts';
import { bytesOf, emptyFrame, type Frame, jsonBytesOf, jsonIn, textIn } from './frame.ts';
import * as kinds from './kinds.ts';

/*
 *                requestId   detail        body
 *   RECORD       trackId     topicHandle   prefix (below), record                   to the network thread
 *   TOPIC        -           topicHandle   name
 *   GROUP_END    trackId     records       -
 *   DELIVERED    -           topicHandle   words (below), error as JSON             to the application thread
 *   GROUP_DONE   trackId     failed        -
 *
 *   RECORD prefix, words                           DELIVERED, words
 *
 *   0  partition, -1: to be chosen                 0     partition
 *   1  key length, -1: none                        1, 2  base offset: low, high; -1, -1: unknown
 *   2  lingerMs, -1, -2: record-tracking.ts        3, 4  LogAppendTime: low, high; -1, -1: records keep their own
 *   3  track kind | pad << 8                       5     bytes of the error's JSON behind the runs, 0: none
 *   4  timestamp in ms: low                        6     runs
 *   5  timestamp: high, or NO_TIMESTAMP            7     first run: trackId, kind, count, position in the batch
 *   :                                              11    next run
 *   6  pad bytes, 0 to 7, then the record, in      :
 *      wire format from its key's length on              error as JSON
 *
 * `...Frame` makes a frame that can wait. `commitRecord` publishes the message that is open in the link; when it returns false, the
 * message is still open. `read...` reads the current frame in place. `take...` releases it, too.
 */

/** High halves of safe integers are below. */
const maxHigh = 2 ** 21;

// RECORD

/** The fields of a record beside its bytes. */
export interface RecordFields {
  topicHandle: number;
  kind: TrackKind;
  /** uint32; 0 with NONE. */
  trackId: number;
  /** -1: to be chosen. */
  partition: number;
  /** In ms, or LINGER_AS_CONFIGURED or LINGER_WHILE_BUSY. */
  lingerMs: number;
  /** In ms since the epoch. NaN: the time at which the network thread takes the record. */
  timestampMs: number;
}

/** A record as it is read: `from` and `to` are its bytes in the link's `u8`. */
export interface RecordFrame extends RecordFields {
  /** -1: no key. */
  keyLength: number;
  from: number;
  to: number;
}

/** The size of the prefix. The pad bytes and the record follow it. */
export const RECORD_PREFIX_BYTES = 24;
const PARTITION_WORD = 0;
const KEY_LENGTH_WORD = 1;
const LINGER_WORD = 2;
const KIND_WORD = 3;
const TIMESTAMP_WORD = 4;
const KIND_MASK = 255;
const PAD_SHIFT = 8;
/** The high half of a timestamp that the network thread must choose. No timestamp in ms is that far from the epoch. */
const NO_TIMESTAMP = -2147483648;

/**
 * @param padBytes how many bytes are free before the record, 0 to 7: with the same alignment as its source, the engine copies a value by
 * words instead of bytes
 * @param usedBytes size of the message: prefix, pad and record
 */
export function commitRecord(
  link: LinkWriter,
  fields: Readonly<RecordFields>,
  keyLength: number,
  padBytes: number,
  usedBytes: number,
): boolean {
  const { i32 } = link;
  const word = link.base >>> 2;
  const { timestampMs } = fields;
  i32[word + PARTITION_WORD] = fields.partition;
  i32[word + KEY_LENGTH_WORD] = keyLength;
  i32[word + LINGER_WORD] = fields.lingerMs;
  i32[word + KIND_WORD] = fields.kind | (padBytes << PAD_SHIFT);
  if (Number.isNaN(timestampMs)) {
    i32[word + TIMESTAMP_WORD + 1] = NO_TIMESTAMP;
  } else {
    i32[word + TIMESTAMP_WORD] = timestampMs | 0;
    i32[word + TIMESTAMP_WORD + 1] = highHalf(timestampMs);
  }
  return link.commit(kinds.RECORD, fields.trackId, fields.topicHandle, usedBytes);
}

/**
 * Fills `into`. The record's bytes stay in the link.
 * @param wallNow the timestamp of a record without one
 * @throws RingCorruptError for what no application writes
 */
export function readRecord(link: LinkReader, into: RecordFrame, wallNow: number): void {
  const { i32, base, byteLength } = link;
  if (byteLength < RECORD_PREFIX_BYTES) {
    throw new RingCorruptError(`a record of ${byteLength} bytes, expected at least ${RECORD_PREFIX_BYTES}`);
  }
  const word = base >>> 2;
  const kindWord = i32[word + KIND_WORD]!;
  const kind = kindWord & KIND_MASK;
  const high = i32[word + TIMESTAMP_WORD + 1]!;
  if (kind > TrackKind.GROUP) throw new RingCorruptError(`a record of track kind ${kind}, expected at most 2`);
  into.topicHandle = link.detail;
  into.kind = kind as TrackKind;
  into.trackId = link.requestId;
  into.partition = i32[word + PARTITION_WORD]!;
  into.lingerMs = i32[word + LINGER_WORD]!;
  into.timestampMs = high === NO_TIMESTAMP ? wallNow : numberOf(i32[word + TIMESTAMP_WORD]!, high);
  into.keyLength = i32[word + KEY_LENGTH_WORD]!;
  into.from = base + RECORD_PREFIX_BYTES + (kindWord >>> PAD_SHIFT);
  into.to = base + byteLength;
  if (into.keyLength < -1 || into.partition < -1 || into.lingerMs < LINGER_WHILE_BUSY) {
    throw new RingCorruptError(
      `a record with a key of ${into.keyLength} bytes, partition ${into.partition}, lingerMs ${into.lingerMs}`,
    );
  }
  // Beyond what a number holds exactly: applications cannot give such a time.
  if (high !== NO_TIMESTAMP && (high < -maxHigh || high >= maxHigh))
    throw new RingCorruptError(`a record with timestamp ${into.timestampMs}`);
  if (into.from > into.to) {
    throw new RingCorruptError(`a record begins ${into.from - base} bytes into a frame of ${byteLength}`);
  }
}

// TOPIC

/** Gives a topic a number. It comes before the first record of the topic. */
export interface TopicFrame {
  readonly topicHandle: number;
  readonly name: string;
}

export function topicFrame({ topicHandle, name }: TopicFrame): Frame {
  return { kind: kinds.TOPIC, requestId: 0, detail: topicHandle, body: bytesOf(name) };
}

/** @throws RingCorruptError for a name that Kafka does not allow */
export function readTopic(link: LinkReader): TopicFrame {
  const topicHandle = link.detail;
  const name = textIn(link);
  if (!isTopicName(name))
    throw new RingCorruptError(`topic number ${topicHandle} has a name that Kafka does not allow`);
  return { topicHandle, name };
}

// GROUP_END and GROUP_DONE

/** A group of records is complete. */
export interface GroupEndFrame {
  /** uint32, of the group. */
  readonly trackId: number;
  readonly records: number;
}

export function groupEndFrame({ trackId, records }: GroupEndFrame): Frame {
  return emptyFrame(kinds.GROUP_END, trackId, records);
}

export function readGroupEnd(link: LinkReader): GroupEndFrame {
  if (link.detail < 0) throw new RingCorruptError(`a group of ${link.detail} records`);
  return { trackId: link.requestId, records: link.detail };
}

/** All records of a complete group are settled. */
export interface GroupDoneFrame {
  /** uint32, of the group. */
  readonly trackId: number;
  /** How many of its records failed. */
  readonly failed: number;
}

export function groupDoneFrame({ trackId, failed }: GroupDoneFrame): Frame {
  return emptyFrame(kinds.GROUP_DONE, trackId, failed);
}

export function takeGroupDone(link: LinkReader): GroupDoneFrame {
  const { requestId: trackId, detail: failed } = link;
  link.release();
  return { trackId, failed };
}

// DELIVERED

/** The error of a batch, with the errors of single records in it. */
export interface DeliveredError {
  readonly error: PlainError;
  /** Position in the batch, and the error's message. */
  readonly records?: readonly (readonly [index: number, message: string])[];
}

/** A batch is settled: its records are written or have failed. */
export interface DeliveredFrame {
  /** -1: the application has not named the topic. */
  readonly topicHandle: number;
  readonly partition: number;
  /** The offset of the first record, in halves. -1, -1: unknown. */
  readonly offsetLow: number;
  readonly offsetHigh: number;
  /** LogAppendTime; -1: records keep their own. */
  readonly logAppendTimeMs: number;
  /** Null: the records were written. */
  readonly error: DeliveredError | null;
  readonly runs: DeliveredRuns;
}

const DELIVERED_PARTITION_WORD = 0;
const DELIVERED_OFFSET_WORD = 1;
const DELIVERED_TIME_WORD = 3;
const DELIVERED_ERROR_BYTES_WORD = 5;
const DELIVERED_RUNS_WORD = 6;
const DELIVERED_FIRST_RUN_WORD = 7;
const RUN_WORDS = 4;

/** The runs of a batch: consecutive records that are reported in the same way. */
export class DeliveredRuns {
  readonly #words: { readonly [word: number]: number };
  readonly #first: number;
  readonly length: number;

  /** @param first index of the first run's first word */
  constructor(words: { readonly [word: number]: number }, first: number, length: number) {
    this.#words = words;
    this.#first = first;
    this.length = length;
  }

  /** A uint32. For a run of SINGLE records it is the id of the first one, and the ids of the next ones follow it. */
  trackId(run: number): number {
    return this.#words[this.#first + run * RUN_WORDS]! >>> 0;
  }

  kind(run: number): TrackKind {
    return this.#words[this.#first + run * RUN_WORDS + 1] as TrackKind;
  }

  /** How many records the run has. */
  count(run: number): number {
    return this.#words[this.#first + run * RUN_WORDS + 2]!;
  }

  /** The position of the first record in the batch. */
  position(run: number): number {
    return this.#words[this.#first + run * RUN_WORDS + 3]!;
  }
}

/** Collects runs for a frame. */
export class DeliveredRunsBuilder {
  readonly #words: number[] = [];

  get length(): number {
    return this.#words.length / RUN_WORDS;
  }

  add(trackId: number, kind: TrackKind, count: number, position: number): void {
    this.#words.push(trackId, kind, count, position);
  }

  build(): DeliveredRuns {
    return new DeliveredRuns(this.#words, 0, this.length);
  }
}

export function deliveredFrame(fields: DeliveredFrame): Frame {
  const { topicHandle, logAppendTimeMs, error, runs } = fields;
  const errorBytes = error === null ? null : jsonBytesOf(error);
  const runsEnd = DELIVERED_FIRST_RUN_WORD + runs.length * RUN_WORDS;
  const bodyBytes = 4 * runsEnd + (errorBytes?.length ?? 0);
  const words = new Int32Array((bodyBytes + 3) >>> 2);
  words[DELIVERED_PARTITION_WORD] = fields.partition;
  words[DELIVERED_OFFSET_WORD] = fields.offsetLow;
  words[DELIVERED_OFFSET_WORD + 1] = fields.offsetHigh;
  words[DELIVERED_TIME_WORD] = logAppendTimeMs | 0;
  words[DELIVERED_TIME_WORD + 1] = highHalf(logAppendTimeMs);
  words[DELIVERED_ERROR_BYTES_WORD] = errorBytes?.length ?? 0;
  words[DELIVERED_RUNS_WORD] = runs.length;
  for (let run = 0, word = DELIVERED_FIRST_RUN_WORD; run < runs.length; run++, word += RUN_WORDS) {
    words[word] = runs.trackId(run);
    words[word + 1] = runs.kind(run);
    words[word + 2] = runs.count(run);
    words[word + 3] = runs.position(run);
  }
  const body = new Uint8Array(words.buffer, 0, bodyBytes);
  if (errorBytes !== null) body.set(errorBytes, 4 * runsEnd);
  return { kind: kinds.DELIVERED, requestId: 0, detail: topicHandle, body };
}

export function takeDelivered(link: LinkReader): DeliveredFrame {
  const topicHandle = link.detail;
  const body = link.own();
  link.release();
  const { i32 } = body;
  const word = body.base >>> 2;
  const runs = i32[word + DELIVERED_RUNS_WORD]!;
  const errorBytes = i32[word + DELIVERED_ERROR_BYTES_WORD]!;
  const runsBytes = 4 * (DELIVERED_FIRST_RUN_WORD + runs * RUN_WORDS);
  if (runs < 0 || errorBytes < 0 || runsBytes + errorBytes > body.byteLength) {
    throw new RingCorruptError(
      `${runs} runs and ${errorBytes} bytes of an error in a frame of ${body.byteLength} bytes`,
    );
  }
  const timeHigh = i32[word + DELIVERED_TIME_WORD + 1]!;
  return {
    topicHandle,
    partition: i32[word + DELIVERED_PARTITION_WORD]!,
    offsetLow: i32[word + DELIVERED_OFFSET_WORD]!,
    offsetHigh: i32[word + DELIVERED_OFFSET_WORD + 1]!,
    logAppendTimeMs: timeHigh < 0 ? -1 : numberOf(i32[word + DELIVERED_TIME_WORD]!, timeHigh),
    error: errorBytes === 0 ? null : (jsonIn(body, runsBytes, errorBytes) as DeliveredError),
    runs: new DeliveredRuns(i32, word + DELIVERED_FIRST_RUN_WORD, runs),
  };
}
