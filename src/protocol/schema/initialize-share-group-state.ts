// InitializeShareGroupState, API key 83: shape and documentation of both messages. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const partitionData: readonly FieldRow[] = [
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  ['stateEpoch', 'int32', '0+', 'Epoch of the state, one more with each new start.'],
  ['startOffset', 'int64', '0+', 'First offset that is not yet done with; -1 to find out later.'],
];

const initializeStateData: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionData', '0+', 'Partitions to create state for.', { fields: partitionData }],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.'],
  ['topics', '[]InitializeStateData', '0+', 'Topics to create state for.', { fields: initializeStateData }],
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

const initializeStateResult: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionResult', '0+', 'Partitions with the results.', { fields: partitionResult }],
];

const response: readonly FieldRow[] = [
  ['results', '[]InitializeStateResult', '0+', 'Topics with the results.', { fields: initializeStateResult }],
];

export default {
  key: 83,
  name: 'InitializeShareGroupState',
  doc: 'Creates the stored state of share partitions. Between coordinators (KIP-932).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
