// ReadShareGroupStateSummary, API key 87: shape and documentation of both messages. Read by the generator only,
// runs in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const partitionData: readonly FieldRow[] = [
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  ['leaderEpoch', 'int32', '0+', 'Leader epoch of the share partition, for older leaders to be refused.'],
];

const readStateSummaryData: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionData', '0+', 'Partitions to read the state of.', { fields: partitionData }],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.'],
  ['topics', '[]ReadStateSummaryData', '0+', 'Topics to read the state of.', { fields: readStateSummaryData }],
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
  ['stateEpoch', 'int32', '0+', 'Epoch of the state, one more with each new start.'],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
  ['startOffset', 'int64', '0+', 'First offset that is not yet done with; -1 for none.'],
  [
    'deliveryCompleteCount',
    'int32',
    '1+',
    'Records from the start offset on that are done with (KIP-1226); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
];

const readStateSummaryResult: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionResult', '0+', 'Partitions with their state.', { fields: partitionResult }],
];

const response: readonly FieldRow[] = [
  ['results', '[]ReadStateSummaryResult', '0+', 'Topics with their state.', { fields: readStateSummaryResult }],
];

export default {
  key: 87,
  name: 'ReadShareGroupStateSummary',
  doc: 'Reads the start offsets in the stored state of share partitions. Between coordinators (KIP-932).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
