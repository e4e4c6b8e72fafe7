// Owns the body of a Produce request whose record batches are in wire format already. It is a list of pieces for the socket, and the
// batches themselves are pieces. Network thread. Must not copy records, except for brokers before 0.11, which have another format.

import { WireWriter } from '../../protocol/wire/wire-writer.ts';
import { legacyRecords } from './legacy-records.ts';
import type { ProducerBatch } from './producer-batch.ts';

/** The first version with compact lengths and tagged fields, and the first with topic ids. */
const flexibleVersion = 9;
const topicIdVersion = 13;
/** The first version with record batches. */
const batchVersion = 3;

export interface ProduceBody {
  readonly transactionalId: string | null;
  readonly acks: number;
  readonly timeoutMs: number;
  readonly topics: readonly ProduceTopic[];
}

export interface ProduceTopic {
  readonly name: string;
  /** 22 characters of base64url, as Kafka prints it. Null when unknown; the version must then be below 13. */
  readonly topicId: string | null;
  /** At most one batch of each partition. */
  readonly batches: readonly ProducerBatch[];
}

const writer = new WireWriter();

/** Encodes the body in wire format of `version`. Batches must be sealed. Throws InvalidRequestError for records that a message set cannot hold. */
export function encodeProduceBody(body: ProduceBody, version: number): Uint8Array[] {
  const isFlexible = version >= flexibleVersion;
  const w = writer.reset();
  w.describe('Produce', 0, version);
  /** The position of each batch in the bytes around the batches. */
  const cuts: number[] = [];
  const records: Uint8Array[] = [];
  if (version >= batchVersion) text(w, isFlexible, body.transactionalId);
  w.int16(body.acks);
  w.int32(body.timeoutMs);
  w.length(isFlexible, body.topics.length);
  for (const topic of body.topics) {
    if (version >= topicIdVersion) uuid(w, topic.topicId!);
    else text(w, isFlexible, topic.name);
    w.length(isFlexible, topic.batches.length);
    for (const batch of topic.batches) {
      w.int32(batch.partition.index);
      const bytes = version >= batchVersion ? batch.bytes : legacyRecords(batch, version);
      w.length(isFlexible, bytes.length);
      cuts.push(w.offset);
      records.push(bytes);
      if (isFlexible) w.int8(0);
    }
    if (isFlexible) w.int8(0);
  }
  if (isFlexible) w.int8(0);
  const around = w.finish();
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (let i = 0; i < cuts.length; i++) {
    pieces.push(around.subarray(from, cuts[i]!), records[i]!);
    from = cuts[i]!;
  }
  if (from < around.length) pieces.push(around.subarray(from));
  return pieces;
}

/** The largest number of bytes that a request needs for a topic and partition, without the batch. */
export function overheadBytes(topicName: string): number {
  return 2 * topicName.length + 64;
}

function text(w: WireWriter, isFlexible: boolean, value: string | null): void {
  const length = value === null ? -1 : Buffer.byteLength(value);
  if (isFlexible) w.uvarint(length + 1);
  else w.int16(length);
  if (value !== null) w.text(value);
}

function uuid(w: WireWriter, id: string): void {
  const bytes = Buffer.from(id, 'base64url');
  w.copy(bytes, 0, 16);
}
