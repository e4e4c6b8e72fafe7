// WriteTxnMarkers, API key 27: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const writableTxnMarkerTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitionIndexes', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const writableTxnMarker: readonly FieldRow[] = [
  ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['producerEpoch', 'int16', '0+', 'Epoch of the producer; older ones are fenced off.'],
  ['transactionResult', 'bool', '0+', 'True for a commit marker, false for an abort marker.'],
  [
    'topics',
    '[]WritableTxnMarkerTopic',
    '0+',
    'Topics with the partitions to write the marker to.',
    { fields: writableTxnMarkerTopic },
  ],
  ['coordinatorEpoch', 'int32', '0+', 'Epoch of the coordinator that sends this, for leaders to ignore older ones.'],
  [
    'transactionVersion',
    'int8',
    '2+',
    'Transaction protocol in use (KIP-1228): 0 or 1 the old one, 2 that of KIP-890.',
    { default: '0', ignorable: true },
  ],
];

const request: readonly FieldRow[] = [
  [
    'markers',
    '[]WritableTxnMarker',
    '0+',
    'Markers to write, one for each transaction that ended.',
    { fields: writableTxnMarker },
  ],
];

const writableTxnMarkerPartitionResult: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 when written.'],
];

const writableTxnMarkerTopicResult: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]WritableTxnMarkerPartitionResult',
    '0+',
    'Partitions written to.',
    { fields: writableTxnMarkerPartitionResult },
  ],
];

const writableTxnMarkerResult: readonly FieldRow[] = [
  ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['topics', '[]WritableTxnMarkerTopicResult', '0+', 'Topics written to.', { fields: writableTxnMarkerTopicResult }],
];

const response: readonly FieldRow[] = [
  ['markers', '[]WritableTxnMarkerResult', '0+', 'One result for each marker.', { fields: writableTxnMarkerResult }],
];

export default {
  key: 27,
  name: 'WriteTxnMarkers',
  doc: 'Tells leaders to write commit or abort markers. From transaction coordinators, since Kafka 0.11 (KIP-98).',
  flexible: '1+',
  listeners: ['broker'],
  legacy: '0',
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
