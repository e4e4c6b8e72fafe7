// Owns the producing half of the job: writes every line of the corpus to a partition, exactly once. Main thread.
//
// Each partition has one batch under way at a time, so records keep the order in which they are sent. The partitions together keep the
// connections busy. If no answer came for a batch, its outcome is found out before the next batch is sent:
//
//   brokers with InitProducerId   the batch is sent again with the same producer id and sequence number; a broker that
//                                 has it already answers with its offset
//   others                        the end of the partition shows whether the batch was appended, because nobody else writes
//                                 to it. If a broker appends the batch later, it is there twice; the job then fails

import { setTimeout as delay } from 'node:timers/promises';
import type Long from 'long';
import type { Progress } from '../../src/cli/io/progress.ts';
import { errorFor, InitProducerId, KafkaClientError, Produce } from '../../src/index.ts';
import { type Chunk, ChunkPool, keyBytes } from './chunk.ts';
import { type Corpus, CorpusReader } from './corpus.ts';
import { JobError } from './job-error.ts';
import type { PartitionLedger } from './ledger.ts';
import { checkCode, patienceMs, type Requester, wasNotSent } from './requester.ts';
import type { Topic } from './topic.ts';

const allReplicas = -1;
const brokerTimeoutMs = 30_000;
const retryPauseMs = 100;
/** In addition to the chunks under way: one that is being read, and one in which a line continues. */
const spareChunks = 2;
const maxSequence = 2 ** 31;

export interface ProduceResult {
  readonly records: number;
  readonly payloadBytes: number;
  readonly seconds: number;
  /** The total time inside of `KafkaClient.send`, in ms. */
  readonly sendMs: number;
  readonly isIdempotent: boolean;
  /** How many records are parts of lines that are longer than a chunk. */
  readonly splits: number;
  /** Some text of the corpus. */
  readonly sample: Uint8Array;
}

interface ProducerIdentity {
  readonly producerId: Long;
  readonly producerEpoch: number;
}

/** The data that all partitions share. */
interface Producing {
  readonly requester: Requester;
  readonly topic: Topic;
  readonly identity: ProducerIdentity | null;
}

export async function produceCorpus(
  requester: Requester,
  topic: Topic,
  corpus: Corpus,
  ledgers: readonly PartitionLedger[],
  progress: Progress,
): Promise<ProduceResult> {
  const startedAt = performance.now();
  const sendMsBefore = requester.sendMs;
  const identity = await initProducer(requester);
  const writers = ledgers.map((ledger) => new PartitionWriter({ requester, topic, identity }, ledger));
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
  const records = ledgers.reduce((sum, { produced }) => sum + produced.records, 0);
  const payloadBytes = ledgers.reduce((sum, { produced }) => sum + produced.payloadBytes, 0);
  return {
    records,
    payloadBytes,
    seconds: (performance.now() - startedAt) / 1000,
    sendMs: requester.sendMs - sendMsBefore,
    isIdempotent: identity !== null,
    splits: reader.splits,
    sample,
  };
}

/** Null if the broker does not know idempotent producers (before 0.11). */
async function initProducer(requester: Requester): Promise<ProducerIdentity | null> {
  if (requester.client.getApiVersions()?.has(InitProducerId.key) !== true) return null;
  return requester.persist('asking for a producer id', async () => {
    const request = { transactionalId: null, transactionTimeoutMs: brokerTimeoutMs };
    const response = await requester.send(requester.anyNode(), InitProducerId, request);
    checkCode(response.errorCode);
    return { producerId: response.producerId, producerEpoch: response.producerEpoch };
  });
}

class PartitionWriter {
  readonly #shared: Producing;
  readonly #ledger: PartitionLedger;
  #sequence = 0;

  constructor(shared: Producing, ledger: PartitionLedger) {
    this.#shared = shared;
    this.#ledger = ledger;
  }

  /** Resolves when the chunk is in the partition exactly once. */
  async deliver(chunk: Chunk): Promise<void> {
    const { requester } = this.#shared;
    const deadline = performance.now() + patienceMs;
    let mayBeAppended = false;
    for (;;) {
      try {
        if (mayBeAppended && (await this.#wasAppended(chunk))) return;
        mayBeAppended = true;
        const baseOffset = await this.#send(chunk);
        this.#acknowledged(chunk, baseOffset);
        return;
      } catch (error) {
        const isRetriable = requester.note(error);
        if (!isRetriable) throw error;
        if (performance.now() > deadline) throw new JobError('a batch could not be produced', { cause: error });
        if (wasNotSent(error)) mayBeAppended = false;
        else requester.faults.retried++;
        if (error instanceof KafkaClientError && error.invalidMetadata) await requester.refreshMetadata();
        await delay(retryPauseMs);
      }
    }
  }

  /** Returns the offset of the first record. */
  async #send(chunk: Chunk): Promise<number> {
    const { requester, topic, identity } = this.#shared;
    const { partition } = this.#ledger;
    const records = {
      records: (writer: Parameters<Chunk['appendTo']>[0]) => chunk.appendTo(writer),
      ...(identity === null ? {} : { ...identity, baseSequence: this.#sequence }),
    };
    const request = {
      acks: allReplicas,
      timeoutMs: brokerTimeoutMs,
      topicData: [{ name: topic.name, topicId: topic.id, partitionData: [{ index: partition, records }] }],
    };
    const response = await requester.send(topic.leader(partition), Produce, request);
    const answer = response.responses.at(0).partitionResponses.at(0);
    const error = errorFor(answer.errorCode);
    if (error === null) return answer.baseOffset.toNumber();
    throw error;
  }

  /** Whether a batch without an answer is in the log. The ledger must be up to date. */
  async #wasAppended(chunk: Chunk): Promise<boolean> {
    const { topic, identity } = this.#shared;
    // The broker itself detects the batch by its sequence number.
    if (identity !== null) return false;
    const { partition, produced } = this.#ledger;
    const end = await topic.endOffset(partition);
    if (end === produced.records) return false;
    this.#acknowledged(chunk, end - chunk.count);
    return true;
  }

  #acknowledged(chunk: Chunk, baseOffset: number): void {
    const { partition, produced } = this.#ledger;
    if (baseOffset !== produced.records) {
      throw new JobError(
        `partition ${partition}: a batch of ${chunk.count} records went to offset ${baseOffset}, expected ${produced.records}: records were lost, doubled, or written by others`,
      );
    }
    produced.addChunk(chunk, baseOffset);
    this.#sequence = (this.#sequence + chunk.count) % maxSequence;
  }
}
