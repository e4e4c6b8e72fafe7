// Owns the bytes that members of a classic group exchange through the coordinator: subscriptions and assignments, each after its
// version. Network thread.
// Source: protocol guide, "consumer" protocol type; KIP-429, KIP-792, KIP-881.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import { KafkaProtocolError } from '../../common/errors/errors.ts';
import { HeapMemory } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import * as assignmentMessage from '../../protocol/flat/generated/consumer-protocol-assignment.ts';
import * as subscriptionMessage from '../../protocol/flat/generated/consumer-protocol-subscription.ts';
import { type DataCodec, dataCodec } from '../../protocol/wire/codecs.ts';
import { WireReader } from '../../protocol/wire/wire-reader.ts';
import { WireWriter } from '../../protocol/wire/wire-writer.ts';
import { tooManyPartitions } from './partition-limit.ts';

export interface MemberSubscription {
  readonly topics: readonly string[];
  readonly userData: Uint8Array | null;
  readonly owned: readonly TopicPartition[];
  /** -1 for none. */
  readonly generation: number;
  readonly rackId: string | null;
}

export const consumerProtocolType = 'consumer';
const subscriptionVersion = 3;
/** The first version has everything that is needed. Later versions have no other fields. */
const assignmentVersion = 0;
const versionBytes = 2;

export function encodeSubscription({ topics, userData, owned, generation, rackId }: MemberSubscription): Buffer {
  const data = { topics, userData, ownedPartitions: byTopic(owned), generationId: generation, rackId };
  return encode(dataCodec('ConsumerProtocolSubscription'), subscriptionVersion, (w) =>
    subscriptionMessage.write(w, data),
  );
}

/** Throws: KafkaProtocolError. */
export function decodeSubscription(bytes: Uint8Array): MemberSubscription {
  const view = subscriptionMessage.read(decode(dataCodec('ConsumerProtocolSubscription'), bytes));
  return {
    topics: view.topics.toArray(),
    userData: view.userData,
    owned: [...view.ownedPartitions].flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
    generation: view.generationId,
    rackId: view.rackId,
  };
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const data = { assignedPartitions: byTopic(partitions), userData: null };
  return encode(dataCodec('ConsumerProtocolAssignment'), assignmentVersion, (w) => assignmentMessage.write(w, data));
}

/** Without bytes, nothing is assigned. Throws: KafkaProtocolError. */
export function decodeAssignment(bytes: Uint8Array): TopicPartition[] {
  if (bytes.byteLength === 0) return [];
  const view = assignmentMessage.read(decode(dataCodec('ConsumerProtocolAssignment'), bytes));
  const rows = [...view.assignedPartitions];
  const problem = tooManyPartitions(rows.reduce((sum, { partitions }) => sum + partitions.length, 0));
  if (problem !== null) throw new KafkaProtocolError(`the leader has assigned ${problem}`);
  return rows.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}

function encode(codec: DataCodec, version: number, write: (w: FlatWriter) => void): Buffer {
  const memory = new HeapMemory();
  const flat = new FlatWriter().reset(memory);
  write(flat);
  const { i32, u8, base } = memory;
  const message = new FlatMessage({ i32, u8, base, byteLength: flat.finish() });
  const wire = new WireWriter();
  wire.int16(version);
  codec.encode(message, wire, version);
  return wire.finish();
}

/** The bytes of a newer version begin like those of the newest known version. */
function decode(codec: DataCodec, bytes: Uint8Array): FlatMessage {
  const reader = new WireReader(bytes);
  reader.describe(codec.name, -1, -1);
  const version = Math.min(Math.max(reader.int16(), codec.minVersion), codec.maxVersion);
  const memory = new HeapMemory();
  const flat = new FlatWriter().reset(memory);
  codec.decode(new WireReader(bytes, versionBytes), flat, version);
  const byteLength = flat.finish();
  const { i32, u8, base } = memory;
  return new FlatMessage({ i32, u8, base, byteLength });
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const list = topics.get(topic);
    if (list === undefined) topics.set(topic, [partition]);
    else list.push(partition);
  }
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }));
}
