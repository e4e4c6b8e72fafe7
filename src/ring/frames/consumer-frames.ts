// Owns the frames of a consumer's two links: the fields of each kind, and the only functions that write and read them. Runs on every
// thread. Must not know what a batch's records hold.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerAnswer, ConsumerCall, ConsumerEvent } from '../../common/consumer-calls.ts';
import { RingCorruptError } from '../../common/errors/errors.ts';
import type { PlainError } from '../../common/errors/plain-error.ts';
import type { LinkReader } from '../link-reader.ts';
import type { LinkWriter } from '../link-writer.ts';
import type { OwnedBytes } from '../owned-bytes.ts';
import { bytesOf, type Frame, jsonBytesOf, jsonIn, textIn } from './frame.ts';
import * as kinds from './kinds.ts';

/*
 *                     requestId   detail        body
 *   CONSUMER_CALL     callId      -             ConsumerCall as JSON                to the network thread
 *   CONSUMER_BATCH    place       topicHandle   prefix (below), flat records        to the application thread
 *   CONSUMER_ANSWER   callId      -             ConsumerAnswer as JSON
 *   CONSUMER_REFUSAL  callId      -             PlainError as JSON
 *   CONSUMER_EVENT    -           -             ConsumerEvent as JSON
 *   CONSUMER_TOPIC    -           topicHandle   name, UTF-8
 *   CONSUMER_RAISE    returns     -             PlainError, partition and place in the table as JSON
 *
 *   CONSUMER_BATCH prefix, words; offsets are int64, low word first
 *
 *   0  partition          4  first offset        8  high watermark
 *   1  serial             6  next offset        10  last stable offset
 *   2  record count                             12  round of the partition
 *   3  leader epoch                             16  flat records
 *
 * `...Frame` makes a frame that can wait. `write...` returns false when there is no room, and nothing was written. `read...` reads the
 * current frame in place. `take...` releases it, too.
 */

/** What the application asks; answered by CONSUMER_ANSWER or CONSUMER_REFUSAL. */
export interface ConsumerCallFrame {
  /** uint32. */
  readonly callId: number;
  readonly call: ConsumerCall;
}

export function consumerCallFrame({ callId, call }: ConsumerCallFrame): Frame {
  return { kind: kinds.CONSUMER_CALL, requestId: callId, detail: 0, body: jsonBytesOf(call) };
}

export function takeConsumerCall(link: LinkReader): ConsumerCallFrame {
  const callId = link.requestId;
  const call = jsonIn(link) as ConsumerCall;
  link.release();
  return { callId, call };
}

/** Answers a call. */
export interface ConsumerAnswerFrame {
  /** uint32. */
  readonly callId: number;
  readonly answer: ConsumerAnswer;
}

export function consumerAnswerFrame({ callId, answer }: ConsumerAnswerFrame): Frame {
  return { kind: kinds.CONSUMER_ANSWER, requestId: callId, detail: 0, body: jsonBytesOf(answer) };
}

export function takeConsumerAnswer(link: LinkReader): ConsumerAnswerFrame {
  const callId = link.requestId;
  const answer = jsonIn(link) as ConsumerAnswer;
  link.release();
  return { callId, answer };
}

/** A call failed. */
export interface ConsumerRefusalFrame {
  /** uint32. */
  readonly callId: number;
  readonly error: PlainError;
}

export function consumerRefusalFrame({ callId, error }: ConsumerRefusalFrame): Frame {
  return { kind: kinds.CONSUMER_REFUSAL, requestId: callId, detail: 0, body: jsonBytesOf(error) };
}

export function takeConsumerRefusal(link: LinkReader): ConsumerRefusalFrame {
  const callId = link.requestId;
  const error = jsonIn(link) as PlainError;
  link.release();
  return { callId, error };
}

/** Something happened. */
export function consumerEventFrame(event: ConsumerEvent): Frame {
  return { kind: kinds.CONSUMER_EVENT, requestId: 0, detail: 0, body: jsonBytesOf(event) };
}

export function takeConsumerEvent(link: LinkReader): ConsumerEvent {
  const event = jsonIn(link) as ConsumerEvent;
  link.release();
  return event;
}

/** An error that is raised behind the batches before it. */
export interface ConsumerRaiseFrame {
  readonly error: PlainError;
  /** The partition that has stopped by it. Null: it is not about one partition. */
  readonly place: TopicPartition | null;
  /** Its place in the table of batches, which says whether it was taken back. Null if it is not about one partition. */
  readonly ticket: { readonly place: number; readonly serial: number } | null;
  /** As in a batch. */
  readonly returns: number;
}

export function consumerRaiseFrame({ error, place, ticket, returns }: ConsumerRaiseFrame): Frame {
  const body = jsonBytesOf({ error, place, ticket });
  return { kind: kinds.CONSUMER_RAISE, requestId: returns >>> 0, detail: 0, body };
}

export function takeConsumerRaise(link: LinkReader): ConsumerRaiseFrame {
  const { error, place, ticket } = jsonIn(link) as Omit<ConsumerRaiseFrame, 'returns'>;
  const returns = link.requestId | 0;
  link.release();
  return { error, place, ticket, returns };
}

/** Names a topic, before its first batch. */
export interface ConsumerTopicFrame {
  readonly topicHandle: number;
  readonly name: string;
}

export function consumerTopicFrame({ topicHandle, name }: ConsumerTopicFrame): Frame {
  return { kind: kinds.CONSUMER_TOPIC, requestId: 0, detail: topicHandle, body: bytesOf(name) };
}

export function takeConsumerTopic(link: LinkReader): ConsumerTopicFrame {
  const topicHandle = link.detail;
  const name = textIn(link);
  link.release();
  return { topicHandle, name };
}

/** Records of one partition. */
export interface ConsumerBatchFields {
  /** Index in the batch table. */
  readonly place: number;
  readonly topicHandle: number;
  readonly partition: number;
  /** Tells batches at the same place apart. */
  readonly serial: number;
  /** Records. */
  readonly count: number;
  /** -1: unknown. */
  readonly leaderEpoch: number;
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
  readonly highWatermark: bigint;
  /** -1: unknown. */
  readonly lastStableOffset: bigint;
  /** How many batches of the partition the thread had given back when this one was handed out. An int32 that wraps. */
  readonly returns: number;
}

/** Bytes before the flat records, which a FlatWriter skips. */
export const BATCH_PREFIX_BYTES = 64;
const PARTITION_WORD = 0;
const SERIAL_WORD = 1;
const COUNT_WORD = 2;
const LEADER_EPOCH_WORD = 3;
const FIRST_OFFSET_WORD = 4;
const NEXT_OFFSET_WORD = 6;
const HIGH_WATERMARK_WORD = 8;
const LAST_STABLE_WORD = 10;
const RETURNS_WORD = 12;

/**
 * @param buffer moved on, so empty here when true is returned
 * @param usedBytes of the buffer: BATCH_PREFIX_BYTES, which are written here, and flat records
 */
export function writeConsumerBatch(
  link: LinkWriter,
  buffer: ArrayBuffer,
  usedBytes: number,
  fields: ConsumerBatchFields,
): boolean {
  const words = new Int32Array(buffer, 0, BATCH_PREFIX_BYTES / 4);
  words.fill(0);
  words[PARTITION_WORD] = fields.partition;
  words[SERIAL_WORD] = fields.serial;
  words[COUNT_WORD] = fields.count;
  words[LEADER_EPOCH_WORD] = fields.leaderEpoch;
  putInt64(words, FIRST_OFFSET_WORD, fields.firstOffset);
  putInt64(words, NEXT_OFFSET_WORD, fields.nextOffset);
  putInt64(words, HIGH_WATERMARK_WORD, fields.highWatermark);
  putInt64(words, LAST_STABLE_WORD, fields.lastStableOffset);
  words[RETURNS_WORD] = fields.returns;
  link.adopt(buffer);
  if (link.commit(kinds.CONSUMER_BATCH, fields.place, fields.topicHandle, usedBytes)) return true;
  link.abandon();
  return false;
}

function putInt64(words: Int32Array, word: number, value: bigint): void {
  words[word] = Number(value & 0xffff_ffffn) | 0;
  words[word + 1] = Number(value >> 32n) | 0;
}

export function takeConsumerBatch(link: LinkReader): ConsumerBatchFrame {
  const { requestId: place, detail: topicHandle } = link;
  const body = link.own();
  link.release();
  return new ConsumerBatchFrame(place, topicHandle, body);
}

/** A batch as it was taken. Offsets are made of their halves by the caller, each time that they are read. */
export class ConsumerBatchFrame {
  readonly place: number;
  readonly topicHandle: number;
  /** The flat records are behind BATCH_PREFIX_BYTES. */
  readonly body: OwnedBytes;
  /** A copy: it can be read after the body's memory has been given back. */
  readonly #words: Int32Array;

  constructor(place: number, topicHandle: number, body: OwnedBytes) {
    if (body.byteLength < BATCH_PREFIX_BYTES) {
      throw new RingCorruptError(`a batch of ${body.byteLength} bytes, expected at least ${BATCH_PREFIX_BYTES}`);
    }
    this.place = place;
    this.topicHandle = topicHandle;
    this.body = body;
    const word = body.base >>> 2;
    this.#words = body.i32.slice(word, word + BATCH_PREFIX_BYTES / 4);
  }

  get partition(): number {
    return this.#words[PARTITION_WORD]!;
  }

  get serial(): number {
    return this.#words[SERIAL_WORD]!;
  }

  get count(): number {
    return this.#words[COUNT_WORD]!;
  }

  get leaderEpoch(): number {
    return this.#words[LEADER_EPOCH_WORD]!;
  }

  get returns(): number {
    return this.#words[RETURNS_WORD]!;
  }

  firstOffset<T>(of: (low: number, high: number) => T): T {
    return this.#int64(FIRST_OFFSET_WORD, of);
  }

  nextOffset<T>(of: (low: number, high: number) => T): T {
    return this.#int64(NEXT_OFFSET_WORD, of);
  }

  highWatermark<T>(of: (low: number, high: number) => T): T {
    return this.#int64(HIGH_WATERMARK_WORD, of);
  }

  lastStableOffset<T>(of: (low: number, high: number) => T): T {
    return this.#int64(LAST_STABLE_WORD, of);
  }

  #int64<T>(word: number, of: (low: number, high: number) => T): T {
    return of(this.#words[word]!, this.#words[word + 1]!);
  }
}
