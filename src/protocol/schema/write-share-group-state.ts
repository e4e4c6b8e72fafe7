// WriteShareGroupState, API key 85: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const stateBatch: readonly FieldRow[] = [
  ['firstOffset', 'int64', '0+', 'Offset of the first record.'],
  ['lastOffset', 'int64', '0+', 'Offset of the last record, included.'],
  ['deliveryState', 'int8', '0+', 'State: 0 available, 2 acknowledged, 4 archived.'],
  ['deliveryCount', 'int16', '0+', 'How many times the records have been delivered.'],
];

const partitionData: readonly FieldRow[] = [
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  ['stateEpoch', 'int32', '0+', 'Epoch of the state, one more with each new start.'],
  ['leaderEpoch', 'int32', '0+', 'Leader epoch of the share partition, for older leaders to be refused.'],
  ['startOffset', 'int64', '0+', 'First offset that is not yet done with; -1 to leave it as it is.'],
  [
    'deliveryCompleteCount',
    'int32',
    '1+',
    'Records from the start offset on that are done with (KIP-1226); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  [
    'stateBatches',
    '[]StateBatch',
    '0+',
    'State of the records from there on, by ranges of offsets.',
    { fields: stateBatch },
  ],
];

const writeStateData: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionData', '0+', 'Partitions to write the state of.', { fields: partitionData }],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.'],
  ['topics', '[]WriteStateData', '0+', 'Topics to write the state of.', { fields: writeStateData }],
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

const writeStateResult: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionResult', '0+', 'Partitions with the results.', { fields: partitionResult }],
];

const response: readonly FieldRow[] = [
  ['results', '[]WriteStateResult', '0+', 'Topics with the results.', { fields: writeStateResult }],
];

export default {
  key: 85,
  name: 'WriteShareGroupState',
  doc: 'Writes the stored state of share partitions. Between coordinators (KIP-932).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
