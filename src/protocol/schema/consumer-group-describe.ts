// ConsumerGroupDescribe, API key 69: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['groupIds', '[]string', '0+', 'Ids of the groups to describe.', { entity: 'groupId' }],
  [
    'includeAuthorizedOperations',
    'bool',
    '0+',
    'True to get the operations this client may do on each group (KIP-430).',
  ],
];

const topicPartitions: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const assignment: readonly FieldRow[] = [
  ['topicPartitions', '[]TopicPartitions', '0+', 'Topics with the partitions assigned.', { fields: topicPartitions }],
];

const member: readonly FieldRow[] = [
  ['memberId', 'string', '0+', 'Id of the member within its group.'],
  [
    'instanceId',
    'string',
    '0+',
    'Id given by configuration to a static member, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['rackId', 'string', '0+', 'Rack or zone of the member, or null.', { nullable: '0+', default: 'null' }],
  ['memberEpoch', 'int32', '0+', 'Epoch of the member, growing with each change of its assignment.'],
  ['clientId', 'string', '0+', 'Client id that the member sends in its request headers.'],
  ['clientHost', 'string', '0+', 'Host that the member connects from.'],
  ['subscribedTopicNames', '[]string', '0+', 'Topics the member wants to read.', { entity: 'topicName' }],
  [
    'subscribedTopicRegex',
    'string',
    '0+',
    'RE2 pattern of the topics the member wants to read, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['assignment', 'Assignment', '0+', 'What the member has now.', { fields: assignment }],
  ['targetAssignment', 'Assignment', '0+', 'What the member shall have in the end.', { fields: assignment }],
  [
    'memberType',
    'int8',
    '1+',
    'Protocol of the member: 0 classic, 1 consumer; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
];

const describedGroup: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the group; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['groupState', 'string', '0+', 'State of the group, such as Stable or Empty; empty after an error.'],
  ['groupEpoch', 'int32', '0+', 'Epoch of the group, one more with each change of members or topics.'],
  ['assignmentEpoch', 'int32', '0+', 'Group epoch that the target assignment was made for.'],
  ['assignorName', 'string', '0+', 'Assignor in use.'],
  ['members', '[]Member', '0+', 'Members of the group.', { fields: member }],
  [
    'authorizedOperations',
    'int32',
    '0+',
    'Bit per ACL operation the client may do on the group; -2147483648 when not asked for.',
    { default: '-2147483648' },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['groups', '[]DescribedGroup', '0+', 'One description for each group.', { fields: describedGroup }],
];

export default {
  key: 69,
  name: 'ConsumerGroupDescribe',
  doc: 'Describes consumer groups of the KIP-848 protocol. Final since Kafka 4.0.',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
