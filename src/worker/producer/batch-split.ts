// Owns the splitting of a batch that is too large for the broker. The parts have the same records in the same order. Network thread.

import { CopyMemory } from '../../common/copy-bytes.ts';
import { TrackKind } from '../../common/record-tracking.ts';
import { BATCH_HEADER_BYTES } from '../../protocol/wire/records/record-batch.ts';
import { visitRecords } from './batch-records.ts';
import { addSequence, maxRecordHeadBytes, ProducerBatch } from './producer-batch.ts';
import type { RecordRuns } from './record-owner.ts';

/**
 * Splits a batch into parts of about `targetBytes`. They are compressed when they are closed. They keep the sequences of the batch.
 * @param take takes memory for a part
 */
export function splitBatch(
  batch: ProducerBatch,
  targetBytes: number,
  take: (bytes: number) => Buffer,
): ProducerBatch[] {
  const parts: ProducerBatch[] = [];
  const tracks = new TrackReader(batch.runs);
  let part: ProducerBatch | null = null;
  let source: CopyMemory | null = null;
  visitRecords(batch, (timestampMs, bytes, from, to) => {
    source ??= new CopyMemory(bytes);
    const recordBytes = maxRecordHeadBytes + to - from;
    const record = { timestampMs, memory: source, from, to };
    if (part === null || part.end + recordBytes > targetBytes || !part.append(record)) {
      part = newPart(batch, take(Math.max(targetBytes, BATCH_HEADER_BYTES + recordBytes)));
      parts.push(part);
      part.append(record);
    }
    tracks.passTo(part);
  });
  let sequence = batch.baseSequence;
  for (const each of parts) {
    if (!batch.hasSequence) break;
    each.number(batch.producerIdLow, batch.producerIdHigh, batch.producerEpoch, sequence);
    sequence = addSequence(sequence, each.count);
  }
  return parts;
}

function newPart(batch: ProducerBatch, memory: Buffer): ProducerBatch {
  const part = new ProducerBatch(batch.partition, memory, batch.createdAt, batch.lingerUntil);
  part.isFull = true;
  part.splits = batch.splits + 1;
  part.attempts = batch.attempts;
  part.maybeWritten = batch.maybeWritten;
  return part;
}

/** Reads the runs of a batch record by record. */
class TrackReader {
  readonly #runs: RecordRuns;
  #run = 0;
  #inRun = 0;

  constructor(runs: RecordRuns) {
    this.#runs = runs;
  }

  passTo(part: ProducerBatch): void {
    const { owners, kinds, trackIds, counts } = this.#runs;
    const kind = kinds[this.#run]!;
    const trackId = trackIds[this.#run]! + (kind === TrackKind.SINGLE ? this.#inRun : 0);
    part.track(owners[this.#run]!, kind, trackId);
    this.#inRun++;
    if (this.#inRun < counts[this.#run]!) return;
    this.#run++;
    this.#inRun = 0;
  }
}
