// Owns the bytes that classic consumers and their coordinator exchange about subscriptions and assignments. Runs in the
// broker's thread. It uses the client's own codecs, which the golden vectors prove.

import { KafkaClientError } from '../../common/errors/errors.ts';
import { HeapMemory } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import * as assignmentShape from '../../protocol/flat/generated/consumer-protocol-assignment.ts';
import * as subscriptionShape from '../../protocol/flat/generated/consumer-protocol-subscription.ts';
import { dataCodec } from '../../protocol/wire/codecs.ts';
import { WireReader } from '../../protocol/wire/wire-reader.ts';
import { WireWriter } from '../../protocol/wire/wire-writer.ts';

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface ClassicSubscription {
  readonly version: number;
  readonly topics: readonly string[];
  readonly owned: readonly TopicPartitions[];
  readonly rackId: string | null;
}

const versionBytes = 2;
const newestVersion = 3;

/** Null for bytes that are none. */
export function readSubscription(bytes: Buffer): ClassicSubscription | null {
  const read = decoded('ConsumerProtocolSubscription', bytes);
  if (read === null) return null;
  const view = subscriptionShape.read(read.message);
  const owned = view.ownedPartitions.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }));
  return { version: read.version, topics: [...view.topics], owned, rackId: view.rackId };
}

/** Null for bytes that are none; no bytes are an empty assignment. */
export function readAssignment(bytes: Buffer): TopicPartitions[] | null {
  if (bytes.length === 0) return [];
  const read = decoded('ConsumerProtocolAssignment', bytes);
  if (read === null) return null;
  const view = assignmentShape.read(read.message);
  return view.assignedPartitions.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }));
}

export function writeSubscription(subscription: {
  readonly topics: readonly string[];
  readonly ownedPartitions?: readonly TopicPartitions[];
}): Buffer {
  return encoded('ConsumerProtocolSubscription', 1, (writer) => subscriptionShape.write(writer, subscription));
}

export function writeAssignment(assignedPartitions: readonly TopicPartitions[], version = 0): Buffer {
  return encoded('ConsumerProtocolAssignment', Math.min(version, newestVersion), (writer) =>
    assignmentShape.write(writer, { assignedPartitions }),
  );
}

function decoded(name: string, bytes: Buffer): { readonly version: number; readonly message: FlatMessage } | null {
  if (bytes.length < versionBytes) return null;
  const version = Math.min(bytes.readInt16BE(0), newestVersion);
  if (version < 0) return null;
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  try {
    dataCodec(name).decode(new WireReader(bytes.subarray(versionBytes)), writer, version);
  } catch (error) {
    if (error instanceof KafkaClientError) return null;
    throw error;
  }
  const byteLength = writer.finish();
  return { version, message: new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength }) };
}

function encoded(name: string, version: number, write: (writer: FlatWriter) => void): Buffer {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  write(writer);
  const byteLength = writer.finish();
  const wire = new WireWriter();
  dataCodec(name).encode(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength }), wire, version);
  const head = Buffer.alloc(versionBytes);
  head.writeInt16BE(version, 0);
  return Buffer.concat([head, wire.finish()]);
}
