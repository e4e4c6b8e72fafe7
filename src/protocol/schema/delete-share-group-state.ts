// DeleteShareGroupState, API key 86: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const partitionData: readonly FieldRow[] = [['partition', 'int32', '0+', 'Partition index within the topic.']];

const deleteStateData: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionData', '0+', 'Partitions to delete the state of.', { fields: partitionData }],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.'],
  ['topics', '[]DeleteStateData', '0+', 'Topics to delete the state of.', { fields: deleteStateData }],
];

const partitionResult: readonly FieldRow[] = [
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
];

const deleteStateResult: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionResult', '0+', 'Partitions with the results.', { fields: partitionResult }],
];

const response: readonly FieldRow[] = [
  ['results', '[]DeleteStateResult', '0+', 'Topics with the results.', { fields: deleteStateResult }],
];

export default {
  key: 86,
  name: 'DeleteShareGroupState',
  doc: 'Deletes the stored state of share partitions. Between coordinators (KIP-932).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
