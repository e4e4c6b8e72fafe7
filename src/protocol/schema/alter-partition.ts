// AlterPartition, API key 56: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const brokerState: readonly FieldRow[] = [
  ['brokerId', 'int32', '3+', 'Node id of the broker.', { entity: 'brokerId' }],
  [
    'brokerEpoch',
    'int64',
    '3+',
    'Epoch of the broker registration as the leader knows it; -1 to not have it checked.',
    { default: '-1' },
  ],
];

const requestPartitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['leaderEpoch', 'int32', '0+', 'Leader epoch of the sender.'],
  ['newIsr', '[]int32', '0-2', 'Node ids of the replicas that shall be in sync.', { entity: 'brokerId' }],
  [
    'newIsrWithEpochs',
    '[]BrokerState',
    '3+',
    'Replicas that shall be in sync, with their broker epochs (KIP-903).',
    { fields: brokerState },
  ],
  [
    'leaderRecoveryState',
    'int8',
    '1+',
    '0 when the leader is sound, 1 while it recovers from an unclean election (KIP-704).',
    { default: '0' },
  ],
  ['partitionEpoch', 'int32', '0+', 'Epoch of the partition state that the change starts from.'],
];

const requestTopicData: readonly FieldRow[] = [
  ['topicName', 'string', '0-1', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '2+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  ['partitions', '[]PartitionData', '0+', 'Partitions to change.', { fields: requestPartitionData }],
];

const request: readonly FieldRow[] = [
  ['brokerId', 'int32', '0+', 'Node id of the leader that asks.', { entity: 'brokerId' }],
  ['brokerEpoch', 'int64', '0+', 'Epoch of the broker registration; -1 for unknown.', { default: '-1' }],
  ['topics', '[]TopicData', '0+', 'Topics to change.', { fields: requestTopicData }],
];

const responsePartitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  ['leaderId', 'int32', '0+', 'Node id of the leader; -1 for none.', { entity: 'brokerId' }],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
  ['isr', '[]int32', '0+', 'Node ids of the replicas that are in sync.', { entity: 'brokerId' }],
  [
    'leaderRecoveryState',
    'int8',
    '1+',
    '0 when the leader is sound, 1 while it recovers from an unclean election (KIP-704).',
    { default: '0', ignorable: true },
  ],
  ['partitionEpoch', 'int32', '0+', 'Epoch of the partition state, one more with each change.'],
];

const responseTopicData: readonly FieldRow[] = [
  ['topicName', 'string', '0-1', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '2+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'partitions',
    '[]PartitionData',
    '0+',
    'Partitions with their state after the change.',
    { fields: responsePartitionData },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['topics', '[]TopicData', '0+', 'Topics with the results.', { fields: responseTopicData }],
];

export default {
  key: 56,
  name: 'AlterPartition',
  doc: 'Asks the controller to change in-sync replicas, once called AlterIsr. Since Kafka 2.7 (KIP-497).',
  flexible: '0+',
  listeners: ['controller'],
  legacy: '0-1',
  request: { versions: '0-3', fields: request },
  response: { versions: '0-3', fields: response },
} as const satisfies ApiTable;
