// Owns the reading of a producer's link: each frame that an application thread posted becomes a call of the role, in order. Network
// thread. If there is no memory for a record, it stays in the link with all frames behind it. So the link fills up and the
// application has to wait. Words of shared memory are checked before they are used.

import { CopyMemory } from '../../common/copy-bytes.ts';
import { IllegalArgumentError, type KafkaClientError, RingCorruptError } from '../../common/errors/errors.ts';
import { isTransactionOffsets } from '../../common/link-call-checks.ts';
import { TrackKind } from '../../common/record-tracking.ts';
import { sizeOfLength } from '../../protocol/flat/varints.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import { refuseFrame } from '../../ring/frames/frame.ts';
import {
  FLUSH,
  GROUP_END,
  PRODUCER_CLOSE,
  RECORD,
  TOPIC,
  TRANSACTION_BEGIN,
  TRANSACTION_END,
  TRANSACTION_OFFSETS,
} from '../../ring/frames/kinds.ts';
import {
  type ProducerCloseFrame,
  readFlush,
  readProducerClose,
  readTransactionBegin,
  readTransactionEnd,
  readTransactionOffsets,
} from '../../ring/frames/producer-call-frames.ts';
import { type RecordFrame, readGroupEnd, readRecord, readTopic } from '../../ring/frames/record-frames.ts';
import { LastPlace } from '../producer/last-place.ts';
import type { ProducerRole } from '../producer/producer-role.ts';
import type { UnplacedRecord } from '../producer/staging.ts';
import type { TopicState } from '../producer/topic-state.ts';
import type { TransactionName } from '../producer/transaction-names.ts';
import { Arrivals } from './arrivals.ts';
import type { ProducerProxy } from './producer-proxy.ts';
import { isRecord } from './record-check.ts';
import { RefusedRecords } from './refused-records.ts';

const minFramesPerTurn = 2048;
/** A limit, so that one application that appends without end cannot delay the others and the sockets. */
const maxFramesPerTurn = 16_384;
/**
 * A turn ends with requests. With a thousand partitions it is much dearer to make a thousand batches than to take a few thousand records, so
 * each of them gets some (bench/macro/spread.ts).
 */
const framesPerPartition = 16;

/**
 * How many frames of each application a turn takes.
 * @param partitions   those with batches that are not settled
 * @param applications they share what is more than the least
 */
export function framesPerTurn(partitions: number, applications: number): number {
  const frames = Math.min(maxFramesPerTurn, partitions * framesPerPartition);
  return Math.max(minFramesPerTurn, Math.floor(frames / Math.max(1, applications)));
}

/** Room is given back in steps of this many bytes: each step makes both threads wait for memory, and a record would be too small for that. */
const releaseBytes = 16 * 1024;

/** An application that waits is told of new room at the latest after this time, however little room it is. */
const maxUntoldMs = 100;

/** The record that is being read. One object is used for all records. */
class CurrentRecord implements UnplacedRecord, RecordFrame {
  readonly owner: ProducerProxy;
  topic!: TopicState;
  topicHandle = -1;
  kind: TrackKind = TrackKind.NONE;
  trackId = 0;
  timestampMs = 0;
  lingerMs = 0;
  memory = new CopyMemory(new Uint8Array(0));
  from = 0;
  to = 0;
  partition = -1;
  keyLength = -1;
  keyFrom = -1;
  keyTo = -1;
  waitsSince = 0;

  constructor(owner: ProducerProxy) {
    this.owner = owner;
  }
}

export class ProducerAdapter {
  readonly end: NetworkEnd;
  readonly proxy: ProducerProxy;
  readonly #role: ProducerRole;
  readonly #onClose: (close: ProducerCloseFrame, now: number) => void;
  readonly #record: CurrentRecord;
  readonly #place: LastPlace;
  readonly #topics: (TopicState | undefined)[] = [];
  /** The application is told of room when the ring holds at most this many bytes. */
  readonly #roomyBytes: number;
  /** Since when there is room of which an application that waits was not told. Infinity: there is none. */
  #untoldSince = Number.POSITIVE_INFINITY;
  /** There was no memory for the current frame. */
  #isStuck = false;
  readonly #arrivals: Arrivals;
  /** The error of the records that are still in the link. Null while they are taken. */
  #refusal: KafkaClientError | null = null;
  readonly #refused: RefusedRecords;

  /** @param onClose called when the application closes its producer */
  constructor(
    end: NetworkEnd,
    proxy: ProducerProxy,
    role: ProducerRole,
    onClose: (close: ProducerCloseFrame, now: number) => void,
  ) {
    this.end = end;
    this.proxy = proxy;
    this.#role = role;
    this.#onClose = onClose;
    this.#record = new CurrentRecord(proxy);
    this.#place = new LastPlace(role.accumulator);
    this.#roomyBytes = end.requests.ringBytes / 2;
    this.#arrivals = new Arrivals(role.deliveryTimeoutMs);
    this.#refused = new RefusedRecords(role);
  }

  /** Fails the records that are still in the link, and those that come. */
  refuse(error: KafkaClientError): void {
    this.#refusal ??= error;
  }

  /** Whether there are frames that were not handled, including those that wait for memory. */
  get hasFrames(): boolean {
    return this.#isStuck || !this.end.requests.isEmpty();
  }

  /** Whether the application waits for room. */
  get isWriterWaiting(): boolean {
    return this.end.requests.isWriterWaiting;
  }

  /** Whether answers wait that have room now. */
  get mayAnswer(): boolean {
    return this.proxy.isBehind && this.end.responses.isEmpty();
  }

  /** Whether there is something to do: new frames, or new room, or memory that is broken. A frame that waits for memory counts when there is more memory than before. */
  get hasWork(): boolean {
    if (this.mayAnswer || this.proxy.brokenBy !== null) return true;
    if (this.proxy.isOverQuota) return false;
    return this.#isStuck ? !this.#role.accumulator.isStarved : !this.end.requests.isEmpty();
  }

  /**
   * Handles the frames that the application posted, at most `maxFrames`. Returns how many there were.
   * @param wallNow ms since the epoch, for records without a timestamp
   */
  drain(now: number, wallNow: number, maxFrames: number): number {
    const { requests } = this.end;
    let left = maxFrames;
    while (left > 0 && !this.proxy.isOverQuota) {
      if (!this.#isStuck && !requests.next()) break;
      // Nearly all frames are records.
      if (requests.kind === RECORD) {
        this.#isStuck = !this.#append(now, wallNow);
        if (this.#isStuck) break;
      } else {
        this.#place.forget();
        this.#handle(now);
      }
      left--;
      if (requests.unreleasedBytes >= releaseBytes) requests.release();
    }
    // Until the next call anything may happen to the batch.
    this.#place.forget();
    this.#refused.settle();
    if (this.#isStuck) {
      requests.releaseBefore();
      this.#arrivals.note(requests.newestPosition, now);
    } else requests.release();
    const taken = maxFrames - left;
    this.#tellOfRoom(taken > 0, now);
    return taken;
  }

  /**
   * Only this code tells an application that waits for room. It does so at once when half of the ring is free, not for each record. While
   * there is no memory for more records, that half may never be free: then the application is told of less room, but not often. Rounds are
   * so frequent that it learns of it in time (`patrolMs` of linked-producer.ts).
   */
  #tellOfRoom(hasNewRoom: boolean, now: number): void {
    if (hasNewRoom && this.#untoldSince === Number.POSITIVE_INFINITY) this.#untoldSince = now;
    if (this.#untoldSince === Number.POSITIVE_INFINITY) return;
    const { requests } = this.end;
    // An application looks for room itself after it has said that it waits.
    if (requests.isWriterWaiting) {
      if (requests.usedBytes > this.#roomyBytes && now < this.#untoldSince + maxUntoldMs) return;
      this.proxy.ring();
    }
    this.#untoldSince = Number.POSITIVE_INFINITY;
  }

  /** Any frame but a record. */
  #handle(now: number): void {
    const { requests } = this.end;
    switch (requests.kind) {
      case TOPIC:
        this.#nameTopic(now);
        break;
      case FLUSH: {
        const callId = readFlush(requests);
        this.#role.flush(() => this.proxy.flushed(callId), now);
        break;
      }
      case GROUP_END:
        this.proxy.groupComplete(readGroupEnd(requests));
        break;
      case TRANSACTION_BEGIN:
        this.#beginTransaction(readTransactionBegin(requests), now);
        break;
      case TRANSACTION_OFFSETS: {
        const { callId, beganBy, offsets } = readTransactionOffsets(requests);
        const onDone = this.#doneOf(callId);
        if (isTransactionOffsets(offsets)) this.#role.sendOffsets(offsets, onDone, now, this.#nameOf(beganBy));
        else onDone(new IllegalArgumentError('offsets for a transaction, or their group, are of the wrong kind'));
        break;
      }
      case TRANSACTION_END: {
        const { callId, beganBy, isCommit } = readTransactionEnd(requests);
        this.#role.endTransaction(isCommit, this.#doneOf(callId), now, this.#nameOf(beganBy));
        break;
      }
      case PRODUCER_CLOSE:
        this.#onClose(readProducerClose(requests), now);
        break;
      default:
        refuseFrame(requests, 'the link of a producer');
    }
  }

  /** @returns false when there is no memory for the record, which must come again later */
  #append(now: number, wallNow: number): boolean {
    const { requests } = this.end;
    const record = this.#record;
    readRecord(requests, record, wallNow);
    const { keyLength } = record;
    const topic = this.#topics[record.topicHandle];
    if (topic === undefined) {
      throw new RingCorruptError(
        `a record names topic number ${record.topicHandle}, which no earlier frame has introduced`,
      );
    }
    record.topic = topic;
    if (record.memory.bytes !== requests.u8) record.memory = new CopyMemory(requests.u8);
    record.keyFrom = keyLength < 0 ? -1 : record.from + sizeOfLength(keyLength);
    record.keyTo = record.keyFrom + keyLength;
    // Not again while it waits for memory.
    if (!this.#isStuck && !isRecord(requests.u8, record.from, record.to, keyLength)) {
      throw new RingCorruptError(
        `${record.to - record.from} bytes with a key of ${keyLength} bytes are not a record in wire format`,
      );
    }
    if (this.#refusal !== null) {
      this.#refused.add(record, this.#refusal, now);
      return true;
    }
    if (this.#place.append(record)) return true;
    record.waitsSince = this.#arrivals.isEmpty ? now : this.#arrivals.timeOf(requests.positionAfter, now);
    return this.#role.append(record, now, this.#place);
  }

  #nameTopic(now: number): void {
    const { topicHandle, name } = readTopic(this.end.requests);
    if (topicHandle !== this.#topics.length)
      throw new RingCorruptError(`topic number ${topicHandle} is introduced, expected ${this.#topics.length}`);
    this.#topics[topicHandle] = this.#role.topic(name, now);
    this.proxy.nameTopic(topicHandle, name);
  }

  #beginTransaction(callId: number, now: number): void {
    this.#role.beginTransaction(this.#doneOf(callId), now, this.#nameOf(callId));
  }

  #nameOf(beganBy: number): TransactionName {
    return { owner: this.proxy, id: beganBy };
  }

  #doneOf(callId: number): (error: Error | null) => void {
    return (error) => this.proxy.transactionDone(callId, error);
  }
}
