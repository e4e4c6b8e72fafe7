// Owns the compression of batches: big ones outside of the network thread, all others, and those that nobody else can compress, here.
// Network thread. Must not decide when a batch is sent, and must not change its records.

import { compress } from '../../codec/index.ts';
import { BATCH_HEADER_BYTES } from '../../protocol/wire/records/record-batch.ts';
import type { BatchCompression, ProducerBatch } from './producer-batch.ts';

/** Compresses outside of the network thread, when that can be done and is worth the way there. */
export interface Compressor {
  /** Whether so many bytes are compressed outside. */
  takes(byteCount: number): boolean;
  /** Takes the memory of `bytes`. `done` is called once, in a later round, with the compressed bytes, or with the reason why there are none. */
  compress(
    compression: BatchCompression,
    bytes: Uint8Array,
    done: (packed: Uint8Array | Error, now: number) => void,
  ): void;
}

export class BatchPacker {
  readonly #compression: BatchCompression;
  readonly #compressor: Compressor | null;
  readonly #maxBytes: number;
  /** Bytes that are being compressed outside. */
  #bytes = 0;
  /** Batches that wait until others are compressed. */
  #waiting: ProducerBatch[] = [];

  /**
   * @param compressor null: everything is compressed here
   * @param maxBytes   limit of the copies of records that are outside at a time
   * Throws: UnsupportedCodecError
   */
  constructor(compression: BatchCompression, compressor: Compressor | null, maxBytes: number) {
    this.#compression = compression;
    this.#compressor = compressor;
    this.#maxBytes = maxBytes;
    // Better now than with the first batch.
    if (compression.codec !== 0) compress(compression.codec, compression.level, new Uint8Array(0), 0, 0);
  }

  /**
   * Begins to compress the batch outside, if it is big enough. It gets no more records.
   * @returns whether the batch is not ready to be closed, because it is being compressed
   */
  begin(batch: ProducerBatch): boolean {
    if (batch.isPacking) return true;
    const byteCount = batch.end - BATCH_HEADER_BYTES;
    if (this.#compression.codec === 0 || batch.isClosed || batch.isPackedHere) return false;
    if (byteCount > this.#maxBytes || this.#compressor?.takes(byteCount) !== true) return false;
    batch.isFull = true;
    batch.isPacking = true;
    this.#waiting.push(batch);
    this.#next();
    return true;
  }

  /** Closes the batch. Its records are compressed now if they are not yet. */
  close(batch: ProducerBatch): void {
    if (batch.isClosed) return;
    const { codec, level } = this.#compression;
    if (codec === 0) batch.close(0, null);
    else this.#closeWith(batch, compress(codec, level, batch.memory!, BATCH_HEADER_BYTES, batch.end));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting[0]!;
      // A batch that was given up meanwhile has no memory any more.
      if (!batch.isSettled) {
        const byteCount = batch.end - BATCH_HEADER_BYTES;
        if (this.#bytes + byteCount > this.#maxBytes) return;
        this.#compress(batch, byteCount);
      }
      this.#waiting.shift();
    }
  }

  #compress(batch: ProducerBatch, byteCount: number): void {
    this.#bytes += byteCount;
    // A copy: when it is lost with its thread, the records are still here.
    const copy = new Uint8Array(batch.memory!.subarray(BATCH_HEADER_BYTES, batch.end));
    this.#compressor!.compress(this.#compression, copy, (packed) => {
      this.#bytes -= byteCount;
      batch.isPacking = false;
      if (packed instanceof Error) batch.isPackedHere = true;
      else if (!batch.isSettled) this.#closeWith(batch, packed);
      this.#next();
    });
  }

  #closeWith(batch: ProducerBatch, packed: Uint8Array): void {
    batch.close(this.#compression.codec, packed);
    batch.partition.topic.observeCompression(batch.end / Math.max(batch.uncompressedBytes, 1));
  }
}
