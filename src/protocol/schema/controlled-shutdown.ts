// ControlledShutdown, API key 7: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['brokerId', 'int32', '0+', 'Node id of the broker that stops.', { entity: 'brokerId' }],
  [
    'brokerEpoch',
    'int64',
    '2+',
    'Epoch of the broker registration; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
];

const remainingPartition: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.', { mapKey: true }],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'remainingPartitions',
    '[]RemainingPartition',
    '0+',
    'Partitions that the broker still leads.',
    { fields: remainingPartition },
  ],
];

export default {
  key: 7,
  name: 'ControlledShutdown',
  doc: 'Asked the controller to move leaders away from a broker that stops. With ZooKeeper, Kafka 0.8 to 3.9.',
  flexible: '3+',
  listeners: ['zkBroker', 'controller'],
  legacy: '0-3',
  request: { versions: '0-3', fields: request },
  response: { versions: '0-3', fields: response },
} as const satisfies ApiTable;
