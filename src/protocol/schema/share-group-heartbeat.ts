// ShareGroupHeartbeat, API key 76: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['memberId', 'string', '0+', 'Id of the member, made by the client.'],
  ['memberEpoch', 'int32', '0+', 'Epoch of the member; 0 joins, -1 leaves.'],
  [
    'rackId',
    'string',
    '0+',
    'Rack or zone of the member; null for none or unchanged.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'subscribedTopicNames',
    '[]string',
    '0+',
    'Topics the member wants to read; null for unchanged.',
    { nullable: '0+', default: 'null', entity: 'topicName' },
  ],
];

const topicPartitions: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const assignment: readonly FieldRow[] = [
  ['topicPartitions', '[]TopicPartitions', '0+', 'Topics with the partitions assigned.', { fields: topicPartitions }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['memberId', 'string', '0+', 'Id of the member, or null after an error.', { nullable: '0+', default: 'null' }],
  ['memberEpoch', 'int32', '0+', 'Epoch of the member, to send in the next heartbeat.'],
  ['heartbeatIntervalMs', 'int32', '0+', 'Milliseconds until the next heartbeat is due.'],
  [
    'assignment',
    'Assignment',
    '0+',
    'Partitions the member shall read; null for unchanged.',
    { nullable: '0+', default: 'null', fields: assignment },
  ],
];

export default {
  key: 76,
  name: 'ShareGroupHeartbeat',
  doc: 'Joins, keeps up and leaves a share group. Preview in Kafka 4.1, final since 4.2 (KIP-932).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '1', fields: request },
  response: { versions: '1', fields: response },
} as const satisfies ApiTable;
