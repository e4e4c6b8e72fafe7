// LeaderAndIsr, API key 4: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const leaderAndIsrPartitionState: readonly FieldRow[] = [
  ['topicName', 'string', '0-1', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['controllerEpoch', 'int32', '0+', 'Epoch of the controller that changed the partition last.'],
  ['leader', 'int32', '0+', 'Node id of the leader; -1 for none.', { entity: 'brokerId' }],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
  ['isr', '[]int32', '0+', 'Node ids of the replicas that are in sync.', { entity: 'brokerId' }],
  ['partitionEpoch', 'int32', '0+', 'Epoch of the partition state, one more with each change.'],
  ['replicas', '[]int32', '0+', 'Node ids of all replicas, the preferred leader first.', { entity: 'brokerId' }],
  ['addingReplicas', '[]int32', '3+', 'Node ids of replicas to come.', { ignorable: true, entity: 'brokerId' }],
  ['removingReplicas', '[]int32', '3+', 'Node ids of replicas to go.', { ignorable: true, entity: 'brokerId' }],
  ['isNew', 'bool', '1+', 'True when the replica is expected to not exist yet.', { default: 'false', ignorable: true }],
  [
    'leaderRecoveryState',
    'int8',
    '6+',
    '0 when the leader is sound, 1 while it recovers from an unclean election (KIP-704).',
    { default: '0' },
  ],
];

const leaderAndIsrTopicState: readonly FieldRow[] = [
  ['topicName', 'string', '2+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['topicId', 'uuid', '5+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'partitionStates',
    '[]LeaderAndIsrPartitionState',
    '2+',
    'States of partitions of the topic.',
    { fields: leaderAndIsrPartitionState },
  ],
];

const leaderAndIsrLiveLeader: readonly FieldRow[] = [
  ['brokerId', 'int32', '0+', 'Node id of the broker.', { entity: 'brokerId' }],
  ['hostName', 'string', '0+', 'Host name of the broker.'],
  ['port', 'int32', '0+', 'TCP port to connect to.'],
];

const request: readonly FieldRow[] = [
  ['controllerId', 'int32', '0+', 'Node id of the controller that sends this.', { entity: 'brokerId' }],
  [
    'isKRaftController',
    'bool',
    '7+',
    'True when the sender is a KRaft controller during a migration (KIP-866).',
    { default: 'false' },
  ],
  ['controllerEpoch', 'int32', '0+', 'Epoch of the controller, for brokers to ignore older ones.'],
  [
    'brokerEpoch',
    'int64',
    '2+',
    'Epoch of the broker registration; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['type', 'int8', '5+', '1 for changes only, 2 for the state of all partitions; 0 for unknown.'],
  [
    'ungroupedPartitionStates',
    '[]LeaderAndIsrPartitionState',
    '0-1',
    'States of partitions, each with its topic.',
    { fields: leaderAndIsrPartitionState },
  ],
  [
    'topicStates',
    '[]LeaderAndIsrTopicState',
    '2+',
    'Topics with the states of partitions.',
    { fields: leaderAndIsrTopicState },
  ],
  [
    'liveLeaders',
    '[]LeaderAndIsrLiveLeader',
    '0+',
    'Addresses of the leaders named above.',
    { fields: leaderAndIsrLiveLeader },
  ],
];

const leaderAndIsrPartitionError: readonly FieldRow[] = [
  ['topicName', 'string', '0-4', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
];

const leaderAndIsrTopicError: readonly FieldRow[] = [
  ['topicId', 'uuid', '5+', 'Unique id of the topic (KIP-516); all zero for none.', { mapKey: true }],
  [
    'partitionErrors',
    '[]LeaderAndIsrPartitionError',
    '5+',
    'One result for each partition.',
    { fields: leaderAndIsrPartitionError },
  ],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  [
    'partitionErrors',
    '[]LeaderAndIsrPartitionError',
    '0-4',
    'One result for each partition.',
    { fields: leaderAndIsrPartitionError },
  ],
  ['topics', '[]LeaderAndIsrTopicError', '5+', 'Topics with the results.', { fields: leaderAndIsrTopicError }],
];

export default {
  key: 4,
  name: 'LeaderAndIsr',
  doc: 'Told brokers which partitions they lead or follow. Between brokers with ZooKeeper, Kafka 0.8 to 3.9.',
  flexible: '4+',
  listeners: ['zkBroker'],
  legacy: '0-7',
  request: { versions: '0-7', fields: request },
  response: { versions: '0-7', fields: response },
} as const satisfies ApiTable;
