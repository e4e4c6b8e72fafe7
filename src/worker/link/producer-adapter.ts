// Owns the reading of a producer's link: each frame that an application thread posted becomes a call of the role, in order. Network
// thread. If there is no memory for a record, it stays in the link with all frames behind it. So the link fills up and the
// application has to wait. Words of shared memory are checked before they are used.

import { RingCorruptError } from '../../common/errors/errors.ts';
import { isTopicName } from '../../common/topic-names.ts';
import type { TransactionOffsets } from '../../common/transaction-offsets.ts';
import { sizeOfLength } from '../../protocol/flat/records/varints.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import {
  FLUSH,
  GROUP_END,
  PRODUCER_CLOSE,
  RECORD,
  TOPIC,
  TRANSACTION_BEGIN,
  TRANSACTION_END,
  TRANSACTION_OFFSETS,
} from '../../ring/frames.ts';
import {
  NO_TIMESTAMP,
  RECORD_KEY_LENGTH_WORD,
  RECORD_KIND_MASK,
  RECORD_KIND_WORD,
  RECORD_LINGER_WORD,
  RECORD_PAD_SHIFT,
  RECORD_PARTITION_WORD,
  RECORD_PREFIX_BYTES,
  RECORD_TIMESTAMP_WORD,
} from '../../ring/producer-frames.ts';
import type { ProducerRole } from '../producer/producer-role.ts';
import type { TrackKind } from '../producer/record-owner.ts';
import type { UnplacedRecord } from '../producer/staging.ts';
import type { TopicState } from '../producer/topic-state.ts';
import type { ProducerProxy } from './producer-proxy.ts';

/** A limit, so that one application that appends without end cannot delay the others and the sockets. */
export const maxFramesPerTurn = 2048;
const two32 = 4294967296;

/** The record that is being read. One object is used for all records. */
class CurrentRecord implements UnplacedRecord {
  readonly owner: ProducerProxy;
  topic!: TopicState;
  kind: TrackKind = 0;
  trackId = 0;
  timestampMs = 0;
  lingerMs = 0;
  bytes: Uint8Array = new Uint8Array(0);
  from = 0;
  to = 0;
  partition = -1;
  keyFrom = -1;
  keyTo = -1;

  constructor(owner: ProducerProxy) {
    this.owner = owner;
  }
}

export class ProducerAdapter {
  readonly end: NetworkEnd;
  readonly proxy: ProducerProxy;
  readonly #role: ProducerRole;
  readonly #onClose: (requestId: number, timeoutMs: number, now: number) => void;
  readonly #record: CurrentRecord;
  readonly #topics: (TopicState | undefined)[] = [];
  /** The application is told of room when the ring holds at most this many bytes. */
  readonly #roomyBytes: number;
  /** There was no memory for the current frame. */
  #isStuck = false;

  /** @param onClose called when the application closes its producer; a timeout of -1 means no limit */
  constructor(
    end: NetworkEnd,
    proxy: ProducerProxy,
    role: ProducerRole,
    onClose: (requestId: number, timeoutMs: number, now: number) => void,
  ) {
    this.end = end;
    this.proxy = proxy;
    this.#role = role;
    this.#onClose = onClose;
    this.#record = new CurrentRecord(proxy);
    this.#roomyBytes = end.requests.ringBytes / 2;
  }

  /** Whether there are frames that were not handled, including those that wait for memory. */
  get hasFrames(): boolean {
    return this.#isStuck || !this.end.requests.isEmpty();
  }

  /** Whether there is something to do: new frames, or new room. A frame that waits for memory does not count. */
  get hasWork(): boolean {
    if (this.proxy.isBehind && this.end.responses.isEmpty()) return true;
    return !this.#isStuck && !this.end.requests.isEmpty();
  }

  /**
   * Handles the frames that the application posted, at most `maxFramesPerTurn`. Returns how many there were.
   * @param wallNow ms since the epoch, for records without a timestamp
   */
  drain(now: number, wallNow: number): number {
    const { requests } = this.end;
    let left = maxFramesPerTurn;
    while (left > 0) {
      if (!this.#isStuck && !requests.next()) break;
      this.#isStuck = !this.#handle(now, wallNow);
      if (this.#isStuck) break;
      requests.release();
      left--;
    }
    // Only this code tells an application that waits for room. It does so when half of the ring is free, not for each record.
    const isRoomy = requests.usedBytes <= this.#roomyBytes;
    if (left < maxFramesPerTurn && isRoomy && requests.isWriterWaiting) this.proxy.ring();
    return maxFramesPerTurn - left;
  }

  /** @returns false when the frame must be handled again later */
  #handle(now: number, wallNow: number): boolean {
    const { requests } = this.end;
    const { kind, requestId, detail } = requests;
    switch (kind) {
      case RECORD:
        return this.#append(now, wallNow);
      case TOPIC:
        this.#nameTopic(detail, now);
        return true;
      case FLUSH:
        this.#role.flush(() => this.proxy.flushed(requestId), now);
        return true;
      case GROUP_END:
        this.proxy.groupComplete(requestId, detail);
        return true;
      case TRANSACTION_BEGIN:
      case TRANSACTION_OFFSETS:
      case TRANSACTION_END:
        this.#transaction(kind, requestId, detail, now);
        return true;
      case PRODUCER_CLOSE:
        this.#onClose(requestId, detail, now);
        return true;
      default:
        throw new RingCorruptError(
          `a frame of kind ${kind} is in the link of a producer, where no such frame is written`,
        );
    }
  }

  #append(now: number, wallNow: number): boolean {
    const { requests } = this.end;
    const { i32, base, byteLength, detail } = requests;
    const record = this.#record;
    const word = base >>> 2;
    const topic = this.#topics[detail];
    if (topic === undefined || byteLength < RECORD_PREFIX_BYTES) {
      throw new RingCorruptError(
        `a record of ${byteLength} bytes names topic number ${detail}, which no earlier frame has introduced`,
      );
    }
    const keyLength = i32[word + RECORD_KEY_LENGTH_WORD]!;
    const high = i32[word + RECORD_TIMESTAMP_WORD + 1]!;
    record.topic = topic;
    const kindWord = i32[word + RECORD_KIND_WORD]!;
    record.kind = (kindWord & RECORD_KIND_MASK) as TrackKind;
    record.trackId = requests.requestId;
    record.partition = i32[word + RECORD_PARTITION_WORD]!;
    record.lingerMs = i32[word + RECORD_LINGER_WORD]!;
    record.timestampMs = high === NO_TIMESTAMP ? wallNow : high * two32 + (i32[word + RECORD_TIMESTAMP_WORD]! >>> 0);
    record.bytes = requests.u8;
    record.from = base + RECORD_PREFIX_BYTES + (kindWord >>> RECORD_PAD_SHIFT);
    record.to = base + byteLength;
    record.keyFrom = keyLength < 0 ? -1 : record.from + sizeOfLength(keyLength);
    record.keyTo = record.keyFrom + keyLength;
    if (record.from > record.to || record.keyTo > record.to)
      throw new RingCorruptError(`a record of ${byteLength} bytes claims a key of ${keyLength} bytes`);
    return this.#role.append(record, now);
  }

  #nameTopic(handle: number, now: number): void {
    const { u8, base, byteLength } = this.end.requests;
    const name = Buffer.from(u8.buffer as ArrayBuffer, u8.byteOffset + base, byteLength).toString('latin1');
    if (!isTopicName(name)) throw new RingCorruptError(`topic number ${handle} has a name that Kafka does not allow`);
    this.#topics[handle] = this.#role.topic(name, now);
    this.proxy.nameTopic(handle, name);
  }

  #transaction(kind: number, requestId: number, detail: number, now: number): void {
    const { u8, base, byteLength } = this.end.requests;
    const onDone = (error: Error | null): void => this.proxy.transactionDone(requestId, error);
    if (kind === TRANSACTION_BEGIN) this.#role.beginTransaction(onDone, now);
    else if (kind === TRANSACTION_END) this.#role.endTransaction(detail === 1, onDone, now);
    else {
      const text = Buffer.from(u8.buffer as ArrayBuffer, u8.byteOffset + base, byteLength).toString('utf8');
      this.#role.sendOffsets(JSON.parse(text) as TransactionOffsets, onDone, now);
    }
  }
}
