// StopReplica, API key 5: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const stopReplicaPartitionV0: readonly FieldRow[] = [
  ['topicName', 'string', '0', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitionIndex', 'int32', '0', 'Partition index within the topic.'],
];

const stopReplicaTopicV1: readonly FieldRow[] = [
  ['name', 'string', '1-2', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitionIndexes', '[]int32', '1-2', 'Partition indexes within the topic.'],
];

const stopReplicaPartitionState: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '3+', 'Partition index within the topic.'],
  [
    'leaderEpoch',
    'int32',
    '3+',
    'Leader epoch of the partition; -1 for unknown, -2 for a topic being deleted.',
    { default: '-1' },
  ],
  ['deletePartition', 'bool', '3+', 'True to delete the replica as well.'],
];

const stopReplicaTopicState: readonly FieldRow[] = [
  ['topicName', 'string', '3+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitionStates',
    '[]StopReplicaPartitionState',
    '3+',
    'Partitions to stop.',
    { fields: stopReplicaPartitionState },
  ],
];

const request: readonly FieldRow[] = [
  ['controllerId', 'int32', '0+', 'Node id of the controller that sends this.', { entity: 'brokerId' }],
  [
    'isKRaftController',
    'bool',
    '4+',
    'True when the sender is a KRaft controller during a migration (KIP-866).',
    { default: 'false' },
  ],
  ['controllerEpoch', 'int32', '0+', 'Epoch of the controller, for brokers to ignore older ones.'],
  [
    'brokerEpoch',
    'int64',
    '1+',
    'Epoch of the broker registration; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['deletePartitions', 'bool', '0-2', 'True to delete the replicas as well.'],
  [
    'ungroupedPartitions',
    '[]StopReplicaPartitionV0',
    '0',
    'Partitions to stop, each with its topic.',
    { fields: stopReplicaPartitionV0 },
  ],
  ['topics', '[]StopReplicaTopicV1', '1-2', 'Topics with the partitions to stop.', { fields: stopReplicaTopicV1 }],
  [
    'topicStates',
    '[]StopReplicaTopicState',
    '3+',
    'Topics with the partitions to stop.',
    { fields: stopReplicaTopicState },
  ],
];

const stopReplicaPartitionError: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  [
    'partitionErrors',
    '[]StopReplicaPartitionError',
    '0+',
    'One result for each partition.',
    { fields: stopReplicaPartitionError },
  ],
];

export default {
  key: 5,
  name: 'StopReplica',
  doc: 'Told brokers to stop or delete replicas. Between brokers with ZooKeeper, Kafka 0.8 to 3.9.',
  flexible: '2+',
  listeners: ['zkBroker'],
  legacy: '0-4',
  request: { versions: '0-4', fields: request },
  response: { versions: '0-4', fields: response },
} as const satisfies ApiTable;
