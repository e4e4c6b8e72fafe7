// Owns the decoding of the assignments of classic group members. They are bytes inside of DescribeGroups.
// Network thread. Source: Kafka protocol guide, "ConsumerProtocolAssignment"

import type { TopicPartitionKey } from '../../common/admin/topics.ts';
import { KafkaProtocolError } from '../../common/errors/errors.ts';
import { HeapMemory } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { read } from '../../protocol/flat/generated/consumer-protocol-assignment.ts';
import { dataCodec } from '../../protocol/wire/codecs.ts';
import { WireReader } from '../../protocol/wire/wire-reader.ts';

const versionBytes = 2;

/** Empty for a member without an assignment. Throws KafkaProtocolError when the bytes are not an assignment. */
export function readAssignment(bytes: Uint8Array): TopicPartitionKey[] {
  if (bytes.length === 0) return [];
  if (bytes.length < versionBytes) {
    throw new KafkaProtocolError(
      `a member's assignment has ${bytes.length} bytes; it must have at least 2 for its version`,
    );
  }
  const codec = dataCodec('ConsumerProtocolAssignment');
  // A newer version begins with the fields of the older ones.
  const version = Math.min((bytes[0]! << 8) | bytes[1]!, codec.maxVersion);
  const memory = new HeapMemory(1024);
  const writer = new FlatWriter().reset(memory);
  codec.decode(new WireReader().reset(bytes, versionBytes), writer, version);
  const byteLength = writer.finish();
  const { assignedPartitions } = read(
    new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }),
  );
  const byTopic = assignedPartitions.map(({ topic, partitions }) =>
    partitions.map((partition) => ({ topic, partition })),
  );
  return byTopic.flat();
}
