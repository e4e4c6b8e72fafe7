// CreatePartitions, API key 37: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const createPartitionsAssignment: readonly FieldRow[] = [
  ['brokerIds', '[]int32', '0+', 'Node ids of the replicas, the preferred leader first.', { entity: 'brokerId' }],
];

const createPartitionsTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['count', 'int32', '0+', 'Number of partitions the topic shall have in all.'],
  [
    'assignments',
    '[]CreatePartitionsAssignment',
    '0+',
    'Replicas of each new partition, in order, or null to let the broker choose.',
    { nullable: '0+', fields: createPartitionsAssignment },
  ],
];

const request: readonly FieldRow[] = [
  ['topics', '[]CreatePartitionsTopic', '0+', 'Topics to enlarge.', { fields: createPartitionsTopic }],
  ['timeoutMs', 'int32', '0+', 'Milliseconds to wait until the partitions exist.'],
  ['validateOnly', 'bool', '0+', 'True to only check the request and change nothing.'],
];

const createPartitionsTopicResult: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['errorCode', 'int16', '0+', 'Error of the topic; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  [
    'results',
    '[]CreatePartitionsTopicResult',
    '0+',
    'One result for each topic.',
    { fields: createPartitionsTopicResult },
  ],
];

export default {
  key: 37,
  name: 'CreatePartitions',
  doc: 'Adds partitions to topics. Since Kafka 1.0 (KIP-195).',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-3', fields: request },
  response: { versions: '0-3', fields: response },
} as const satisfies ApiTable;
