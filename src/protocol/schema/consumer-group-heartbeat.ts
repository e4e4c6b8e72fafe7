// ConsumerGroupHeartbeat, API key 68: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const topicPartitions: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['memberId', 'string', '0+', 'Id of the member; from version 1 made by the client, before that empty when joining.'],
  [
    'memberEpoch',
    'int32',
    '0+',
    'Epoch of the member; 0 joins, -1 leaves, -2 leaves as a static member that will return.',
  ],
  [
    'instanceId',
    'string',
    '0+',
    'Id given by configuration to a static member; null for a dynamic one or unchanged.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'rackId',
    'string',
    '0+',
    'Rack or zone of the member; null for none or unchanged.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'rebalanceTimeoutMs',
    'int32',
    '0+',
    'Milliseconds the member may take to give up partitions; -1 for unchanged.',
    { default: '-1' },
  ],
  [
    'subscribedTopicNames',
    '[]string',
    '0+',
    'Topics the member wants to read; null for unchanged.',
    { nullable: '0+', default: 'null', entity: 'topicName' },
  ],
  [
    'subscribedTopicRegex',
    'string',
    '1+',
    'RE2 pattern of the topics the member wants to read; null for unchanged.',
    { nullable: '1+', default: 'null' },
  ],
  [
    'serverAssignor',
    'string',
    '0+',
    'Assignor of the broker to use, such as uniform; null for any or unchanged.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'topicPartitions',
    '[]TopicPartitions',
    '0+',
    'Partitions the member owns now; null for unchanged.',
    { nullable: '0+', default: 'null', fields: topicPartitions },
  ],
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
    'Partitions the member shall have; null for unchanged.',
    { nullable: '0+', default: 'null', fields: assignment },
  ],
];

export default {
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  doc: 'Joins, keeps up and leaves a consumer group; the broker assigns partitions (KIP-848). Final since Kafka 4.0.',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
