// ListOffsets, API key 2: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const listOffsetsPartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  [
    'currentLeaderEpoch',
    'int32',
    '4+',
    'Leader epoch the client knows, for the broker to detect stale metadata (KIP-320); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  [
    'timestamp',
    'int64',
    '0+',
    'Unix milliseconds for the first record not older; -1 end, -2 start, -3 newest record, -4 local start.',
  ],
  ['maxNumOffsets', 'int32', '0', 'Offsets to return at most.', { default: '1' }],
];

const listOffsetsTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitions', '[]ListOffsetsPartition', '0+', 'Partitions to look up.', { fields: listOffsetsPartition }],
];

const request: readonly FieldRow[] = [
  ['replicaId', 'int32', '0+', 'Node id of a follower; -1 for a consumer.', { entity: 'brokerId' }],
  [
    'isolationLevel',
    'int8',
    '2+',
    'What the end is: 0 the high watermark (read uncommitted), 1 the last stable offset (read committed).',
  ],
  ['topics', '[]ListOffsetsTopic', '0+', 'Topics to look up.', { fields: listOffsetsTopic }],
  [
    'timeoutMs',
    'int32',
    '10+',
    'Milliseconds the broker may wait for answers from remote storage (KIP-1075).',
    { ignorable: true },
  ],
];

const listOffsetsPartitionResponse: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['oldStyleOffsets', '[]int64', '0', 'Start offsets of segments not newer than the time asked for, largest first.'],
  ['timestamp', 'int64', '1+', 'Time of the record found, in Unix milliseconds; -1 for none.', { default: '-1' }],
  ['offset', 'int64', '1+', 'Offset found; -1 for none.', { default: '-1' }],
  ['leaderEpoch', 'int32', '4+', 'Leader epoch of the record found; -1 for unknown.', { default: '-1' }],
];

const listOffsetsTopicResponse: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]ListOffsetsPartitionResponse',
    '0+',
    'Partitions looked up.',
    { fields: listOffsetsPartitionResponse },
  ],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '2+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['topics', '[]ListOffsetsTopicResponse', '0+', 'Topics looked up.', { fields: listOffsetsTopicResponse }],
];

export default {
  key: 2,
  name: 'ListOffsets',
  doc: 'Looks up offsets by time, or start and end. Since Kafka 0.8; version 0 lists offsets of segments.',
  flexible: '6+',
  listeners: ['broker'],
  legacy: '0',
  request: { versions: '0-11', fields: request },
  response: { versions: '0-11', fields: response },
} as const satisfies ApiTable;
