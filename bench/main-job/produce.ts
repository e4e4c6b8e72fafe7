// Owns the producing half of the job: writes every line of the corpus to a partition, exactly once. Main thread.
//
// Each partition has one chunk under way at a time. `append` takes its lines without an object for each. The last line goes by `send`, whose
// Future tells its offset: nobody else writes to the topic, so the offset shows whether a line was lost or doubled. The producer does all
// else: batches, leaders, retries, sequence numbers. Brokers before 0.11 know no sequence numbers. If one of them appends a batch and its
// answer is lost, the batch is there twice, and the job fails.

import type { Progress } from '../../src/cli/io/progress.ts';
import {
  BufferExhaustedError,
  InitProducerId,
  type KafkaClient,
  type Producer,
  type RecordMetadata,
} from '../../src/index.ts';
import { type Chunk, ChunkPool, chunkBytes, keyBytes } from './chunk.ts';
import { type Corpus, CorpusReader } from './corpus.ts';
import { JobError } from './job-error.ts';
import type { PartitionLedger } from './ledger.ts';

/** In addition to the chunks under way: one that is being read, and one in which a line continues. */
const spareChunks = 2;
/** A chunk with everything that records add fits into one batch. */
const batchSizeBytes = 448 * 1024;
const minBufferBytes = 32 * 1024 * 1024;
/** The last line of a chunk does not linger, and takes the others with it. */
const lingerMs = 1000;

export interface ProduceResult {
  readonly records: number;
  readonly payloadBytes: number;
  readonly seconds: number;
  /** The total time inside of `append` and `send`, in ms. */
  readonly appendMs: number;
  /** How many records were sent again. */
  readonly retriedRecords: number;
  readonly isIdempotent: boolean;
  /** How many records are parts of lines that are longer than a chunk. */
  readonly splits: number;
  /** Some text of the corpus. */
  readonly sample: Uint8Array;
}

/** A producer for that many partitions. */
export function openProducer(client: KafkaClient, partitions: number): Promise<Producer> {
  const enableIdempotence = client.getApiVersions()?.has(InitProducerId.key) === true;
  return client.producer({
    enableIdempotence,
    ...(!enableIdempotence && { maxInFlightRequestsPerConnection: 1 }),
    batchSizeBytes,
    lingerMs,
    bufferMemoryBytes: Math.max(minBufferBytes, 2 * partitions * batchSizeBytes),
  });
}

export async function produceCorpus(
  producer: Producer,
  topic: string,
  corpus: Corpus,
  ledgers: readonly PartitionLedger[],
  progress: Progress,
): Promise<ProduceResult> {
  const startedAt = performance.now();
  const writers = ledgers.map((ledger) => new PartitionWriter(producer, topic, ledger));
  const pool = new ChunkPool(writers.length + spareChunks);
  const reader = new CorpusReader(corpus, pool);
  const expectedBytes = corpus.fileBytes * corpus.repeat;
  const idle = [...writers];
  const busy = new Map<PartitionWriter, Promise<PartitionWriter>>();
  let sample = new Uint8Array(0);
  let readBytes = 0;
  for await (const chunk of reader.chunks()) {
    if (sample.length === 0) sample = chunk.bytes.slice();
    // These are the bytes in the files: with newlines, without keys.
    readBytes += chunk.payloadBytes - chunk.count * (keyBytes - 1);
    if (idle.length === 0) {
      const writer = await Promise.race(busy.values());
      busy.delete(writer);
      idle.push(writer);
    }
    const writer = idle.shift()!;
    const delivered = writer.deliver(chunk).then(() => {
      pool.release(chunk);
      return writer;
    });
    // The next wait gets the failure. Until then it must not be an unhandled rejection.
    delivered.catch(() => {});
    busy.set(writer, delivered);
    progress.update({ share: readBytes / expectedBytes, bytes: readBytes });
  }
  await Promise.all(busy.values());
  const sum = (of: (each: PartitionWriter) => number): number => writers.reduce((total, each) => total + of(each), 0);
  return {
    records: sum(({ ledger }) => ledger.produced.records),
    payloadBytes: sum(({ ledger }) => ledger.produced.payloadBytes),
    seconds: (performance.now() - startedAt) / 1000,
    appendMs: sum(({ appendMs }) => appendMs),
    retriedRecords: producer.counters.retried,
    isIdempotent: producer.config.enableIdempotence,
    splits: reader.splits,
    sample,
  };
}

class PartitionWriter {
  readonly ledger: PartitionLedger;
  appendMs = 0;
  readonly #producer: Producer;
  readonly #topic: string;
  readonly #key = new Uint8Array(keyBytes);

  constructor(producer: Producer, topic: string, ledger: PartitionLedger) {
    this.#producer = producer;
    this.#topic = topic;
    this.ledger = ledger;
  }

  /** Resolves when the chunk is in the partition exactly once. */
  async deliver(chunk: Chunk): Promise<void> {
    const last = chunk.count - 1;
    for (let next = 0; next < last; ) {
      next = this.#append(chunk, next, last);
      if (next < last) await this.#producer.ready(chunkBytes / 8);
    }
    chunk.writeKey(last, this.#key);
    try {
      const { offset } = await this.#send(chunk.bytes.subarray(chunk.starts[last], chunk.ends[last]));
      this.#acknowledged(chunk, offset.toNumber() - last);
    } catch (cause) {
      if (cause instanceof JobError) throw cause;
      throw new JobError('a batch could not be produced', { cause });
    }
  }

  async #send(value: Uint8Array): Promise<RecordMetadata> {
    for (;;) {
      await this.#producer.ready(value.length + keyBytes);
      const startedAt = performance.now();
      const future = this.#producer.send(this.#topic, { key: this.#key, value, partition: this.ledger.partition });
      this.appendMs += performance.now() - startedAt;
      try {
        return await future;
      } catch (error) {
        // Other partitions may have taken the room.
        if (!(error instanceof BufferExhaustedError)) throw error;
      }
    }
  }

  /** Appends lines of the chunk from `from` to `to` while there is room. Returns the number of the first that was not appended. */
  #append(chunk: Chunk, from: number, to: number): number {
    const { bytes, starts, ends } = chunk;
    const { partition } = this.ledger;
    const startedAt = performance.now();
    let next = from;
    for (; next < to; next++) {
      chunk.writeKey(next, this.#key);
      if (!this.#producer.append(this.#topic, this.#key, bytes.subarray(starts[next], ends[next]), partition)) break;
    }
    this.appendMs += performance.now() - startedAt;
    return next;
  }

  #acknowledged(chunk: Chunk, baseOffset: number): void {
    const { partition, produced } = this.ledger;
    if (baseOffset !== produced.records) {
      throw new JobError(
        `partition ${partition}: a batch of ${chunk.count} records went to offset ${baseOffset}, expected ${produced.records}: records were lost, doubled, or written by others`,
      );
    }
    produced.addChunk(chunk, baseOffset);
  }
}
