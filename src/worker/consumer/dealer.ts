// Owns which application thread reads which partition, and the decoding and handing out of records while a thread has room. Each
// partition has one thread at a time. It gets another one only while its thread has no batch of it. Network thread. Must not fetch.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { DecodeOptions } from '../../protocol/wire/options.ts';
import type { DecodedRecords } from '../requests/codec-work.ts';
import { type Decoded, decodePiece, finishPiece } from './batch-decoder.ts';
import type { ConsumerReport } from './consumer-report.ts';
import type { FetchedMemory } from './fetched-memory.ts';
import type { FetchedRecords, Piece } from './fetched-records.ts';
import type { Application } from './handed-batch.ts';
import type { DecodingPiece, Partition } from './partition.ts';

/** How many times larger than fetched bytes decoded records are expected to be: each record has ten words. It is used to check for room. */
const flatPerFetched = 2;
/** Limit of the decoded batches that wait for room with one thread. A single one may be larger: nobody knows how far bytes expand. */
export const maxPreparedBytes = 16 * 1024 * 1024;

/** Decodes outside of the network thread, when that can be done and is worth the way there. */
export interface RecordDecoder {
  /** Whether so many compressed bytes are decoded outside, and may be now. */
  takes(byteCount: number): boolean;
  /** Takes the memory of `bytes`. `done` is called once, in a later round. */
  decode(bytes: Uint8Array, done: (decoded: DecodedRecords | Error) => void): void;
}

export interface DealerSettings {
  readonly batchMaxBytes: number;
  readonly decode: DecodeOptions;
  /** Null: everything is decoded here. */
  readonly decoder: RecordDecoder | null;
  /** Size of the prefix that the link fills. */
  readonly prefixBytes: number;
  readonly report: ConsumerReport;
  /** Gets the memory of what was decoded. */
  readonly memory: FetchedMemory;
}

export class Dealer {
  readonly #settings: DealerSettings;
  readonly #applications: Application[] = [];
  readonly #holders = new Map<string, Application>();
  /** Bytes of the batches that are decoded, or being decoded, and wait for room, by the thread that gets them. */
  readonly #preparedBytes = new Map<Application, number>();
  /** The index at which the next round begins, so that no partition is always last. */
  #turn = 0;

  constructor(settings: DealerSettings) {
    this.#settings = settings;
  }

  get applications(): readonly Application[] {
    return this.#applications;
  }

  add(application: Application): void {
    this.#applications.push(application);
  }

  /** The thread has ended or does not read any more. Other threads get its unfinished records again, before newer ones. */
  remove(application: Application, partitions: Iterable<Partition>): void {
    const at = this.#applications.indexOf(application);
    if (at < 0) return;
    this.#applications.splice(at, 1);
    for (const partition of partitions) {
      if (this.#holders.get(partition.key) !== application) continue;
      partition.giveUp();
      // That thread may have ended before it read the error.
      partition.unraise();
      this.#holders.delete(partition.key);
    }
  }

  /** The partition does not belong to this consumer any more. */
  forget(partition: Partition): void {
    this.#holders.delete(partition.key);
  }

  /** Notes what the threads have done, then hands out batches while there is room. Returns whether anything changed. */
  poll(partitions: readonly Partition[], now: number): boolean {
    let hasChanged = false;
    for (const application of this.#applications) if (application.see()) hasChanged = true;
    for (const partition of partitions) partition.collectDone();
    this.#deal(partitions, now);
    this.#countPrepared(partitions);
    const { length } = partitions;
    this.#turn = length === 0 ? 0 : (this.#turn + 1) % length;
    for (let i = 0; i < length; i++) {
      const partition = partitions[(this.#turn + i) % length]!;
      const application = this.#holders.get(partition.key);
      if (application !== undefined && this.#handOut(partition, application, now)) hasChanged = true;
    }
    return hasChanged;
  }

  /** Gives every partition a thread, as evenly as possible. A partition stays with a thread that has a batch of it. */
  #deal(partitions: readonly Partition[], now: number): void {
    const readers = this.#readers(now);
    if (readers.length === 0) return;
    const loads = new Map<Application, Partition[]>(readers.map((application) => [application, []]));
    const free: Partition[] = [];
    for (const partition of partitions) {
      const held = loads.get(this.#holders.get(partition.key)!);
      if (held !== undefined) {
        held.push(partition);
        continue;
      }
      // The former thread has not asked for records, so it has taken none.
      partition.withdraw();
      free.push(partition);
    }
    for (const partition of free) {
      const application = this.#extreme(loads, -1);
      this.#holders.set(partition.key, application);
      loads.get(application)!.push(partition);
    }
    if (readers.length === 1) return;
    for (let moves = partitions.length; moves > 0; moves--) {
      const most = this.#extreme(loads, 1);
      const least = this.#extreme(loads, -1);
      if (loads.get(most)!.length - loads.get(least)!.length < 2 || !this.#move(loads, most, least)) return;
    }
  }

  /** The threads that get records. If there are several threads, a thread that has never asked for records gets none. */
  #readers(now: number): readonly Application[] {
    if (this.#applications.length === 1) return this.#applications;
    return this.#applications.filter((application) => application.lastAskedAt(now) !== null);
  }

  #move(loads: Map<Application, Partition[]>, from: Application, to: Application): boolean {
    const list = loads.get(from)!;
    const at = list.findIndex((partition) => {
      partition.withdraw();
      return partition.handed.length === 0;
    });
    if (at < 0) return false;
    const [partition] = list.splice(at, 1);
    this.#holders.set(partition!.key, to);
    loads.get(to)!.push(partition!);
    return true;
  }

  #extreme(loads: Map<Application, Partition[]>, sign: 1 | -1): Application {
    const [first] = loads.keys();
    let best = first!;
    for (const application of loads.keys())
      if (sign * (loads.get(application)!.length - loads.get(best)!.length) > 0) best = application;
    return best;
  }

  #handOut(partition: Partition, application: Application, now: number): boolean {
    let hasHanded = false;
    while (partition.mayHandOut) {
      if (partition.prepared === null && !this.#prepare(partition, application)) break;
      const { prepared } = partition;
      if (prepared === null || !application.hasRoom(prepared.usedBytes)) break;
      const { topic, index, highWatermark, lastStableOffset } = partition;
      const handed = application.hand(prepared, { topic, partition: index, highWatermark, lastStableOffset });
      if (handed === null) break;
      if (prepared.nextOffset > partition.countedTo)
        this.#settings.report.handedOut(topic, prepared.count, prepared.fetchedBytes, now);
      this.#notePrepared(application, -prepared.usedBytes);
      partition.prepared = null;
      partition.handedOut(handed);
      partition.movedAt = now;
      hasHanded = true;
    }
    if (this.#raise(partition, application)) hasHanded = true;
    return hasHanded;
  }

  /** Decodes the next records. Returns false when there are none or no room for them. */
  #prepare(partition: Partition, application: Application): boolean {
    const { batchMaxBytes } = this.#settings;
    while (partition.prepared === null) {
      const fetched = partition.fetched[0];
      if (fetched === undefined) return false;
      let decoded: Decoded;
      if (partition.decoding === null) {
        const expectedBytes = Math.min(fetched.byteLength, batchMaxBytes) * flatPerFetched;
        if (!application.hasRoom(expectedBytes) || !this.#mayPrepare(application, expectedBytes)) return false;
        const piece = fetched.take(batchMaxBytes);
        if (piece === null) {
          this.#dropFirst(partition);
          continue;
        }
        if (this.#decodesOutside(partition, fetched, piece)) {
          this.#notePrepared(application, expectedBytes);
          return false;
        }
        decoded = this.#decode(partition, fetched, piece, application);
      } else {
        const { piece, decoded: outside } = partition.decoding;
        if (outside === null) return false;
        partition.decoding = null;
        decoded = this.#finish(partition, fetched, piece, outside, application);
      }
      const { batch, next, error } = decoded;
      if (fetched.isEmpty) this.#dropFirst(partition);
      partition.prepared = batch;
      this.#notePrepared(application, batch?.usedBytes ?? 0);
      if (batch === null) partition.passOver(next);
      if (error === null) continue;
      partition.stopAt(error);
      return batch !== null;
    }
    return true;
  }

  /** Batches of partitions that were given up, or moved to another thread, in the meantime count no more, or there. */
  #countPrepared(partitions: readonly Partition[]): void {
    this.#preparedBytes.clear();
    for (const partition of partitions) {
      const bytes = preparedBytesOf(partition);
      const application = bytes === 0 ? undefined : this.#holders.get(partition.key);
      if (application !== undefined) this.#notePrepared(application, bytes);
    }
  }

  #notePrepared(application: Application, byteCount: number): void {
    this.#preparedBytes.set(application, (this.#preparedBytes.get(application) ?? 0) + byteCount);
  }

  #mayPrepare(application: Application, byteCount: number): boolean {
    const bytes = this.#preparedBytes.get(application) ?? 0;
    return bytes <= 0 || bytes + byteCount <= maxPreparedBytes;
  }

  #dropFirst(partition: Partition): void {
    partition.fetched.shift()?.release(this.#settings.memory);
  }

  #decode(partition: Partition, { aborted }: FetchedRecords, piece: Piece, application: Application): Decoded {
    const { decode, prefixBytes } = this.#settings;
    const memory = (byteCount: number): ArrayBuffer => application.takeMemory(byteCount);
    return decodePiece(piece, aborted, partition.handPosition, placeOf(partition), decode, prefixBytes, memory);
  }

  #finish(
    partition: Partition,
    fetched: FetchedRecords,
    piece: Piece,
    outside: DecodedRecords | Error,
    application: Application,
  ): Decoded {
    if (outside instanceof Error) return this.#decode(partition, fetched, piece, application);
    const { prefixBytes } = this.#settings;
    return finishPiece(piece, outside, fetched.aborted, partition.handPosition, placeOf(partition), prefixBytes);
  }

  /** A big compressed piece would hold up everything else here. Until it is decoded, the partition's later pieces wait. */
  #decodesOutside(partition: Partition, fetched: FetchedRecords, piece: Piece): boolean {
    const { decoder } = this.#settings;
    const { bytes, start, end } = piece;
    if (decoder === null || !decoder.takes(end - start) || !fetched.isCompressed(piece)) return false;
    const decoding: DecodingPiece = { piece, decoded: null };
    partition.decoding = decoding;
    // A copy, because the memory is moved: the piece stays here, for the case that nobody decodes it.
    decoder.decode(bytes.slice(start, end), (decoded) => {
      decoding.decoded = decoded;
    });
    return true;
  }

  /** Raises an error when the application has taken everything before it. What it has not taken may be withdrawn and comes again. */
  #raise(partition: Partition, application: Application): boolean {
    const { error } = partition;
    if (error === null || partition.raised !== null || partition.prepared !== null) return false;
    if (partition.handed.at(-1)?.isPosted() === true) return false;
    partition.raised = application.raiseOf(placeOf(partition), error);
    return partition.raised !== null;
  }
}

function placeOf({ topic, index }: Partition): TopicPartition {
  return { topic, partition: index };
}

/** Bytes of a partition's decoded batch that waits, or of the one that is being decoded. */
function preparedBytesOf({ prepared, decoding }: Partition): number {
  let bytes = prepared?.usedBytes ?? 0;
  if (decoding !== null) {
    const { piece, decoded } = decoding;
    const isDecoded = decoded !== null && !(decoded instanceof Error);
    bytes += isDecoded ? decoded.usedBytes : (piece.end - piece.start) * flatPerFetched;
  }
  return bytes;
}
