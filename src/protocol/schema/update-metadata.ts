// UpdateMetadata, API key 6: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const updateMetadataPartitionState: readonly FieldRow[] = [
  ['topicName', 'string', '0-4', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['controllerEpoch', 'int32', '0+', 'Epoch of the controller that changed the partition last.'],
  ['leader', 'int32', '0+', 'Node id of the leader; -1 for none.', { entity: 'brokerId' }],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
  ['isr', '[]int32', '0+', 'Node ids of the replicas that are in sync.', { entity: 'brokerId' }],
  ['zkVersion', 'int32', '0+', 'Version of the partition state in ZooKeeper.'],
  ['replicas', '[]int32', '0+', 'Node ids of all replicas, the preferred leader first.', { entity: 'brokerId' }],
  [
    'offlineReplicas',
    '[]int32',
    '4+',
    'Node ids of the replicas whose broker or log directory is down.',
    { ignorable: true, entity: 'brokerId' },
  ],
];

const updateMetadataTopicState: readonly FieldRow[] = [
  ['topicName', 'string', '5+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['topicId', 'uuid', '7+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'partitionStates',
    '[]UpdateMetadataPartitionState',
    '5+',
    'States of partitions of the topic.',
    { fields: updateMetadataPartitionState },
  ],
];

const updateMetadataEndpoint: readonly FieldRow[] = [
  ['port', 'int32', '1+', 'TCP port to connect to.'],
  ['host', 'string', '1+', 'Host name or address to connect to.'],
  ['listener', 'string', '3+', 'Name of the listener, such as INTERNAL.', { ignorable: true }],
  ['securityProtocol', 'int16', '1+', 'Security of the listener: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.'],
];

const updateMetadataBroker: readonly FieldRow[] = [
  ['id', 'int32', '0+', 'Node id of the broker.', { entity: 'brokerId' }],
  ['v0Host', 'string', '0', 'Host name of the broker.', { ignorable: true }],
  ['v0Port', 'int32', '0', 'TCP port of the broker.', { ignorable: true }],
  [
    'endpoints',
    '[]UpdateMetadataEndpoint',
    '1+',
    'Addresses of the broker, one for each listener.',
    { ignorable: true, fields: updateMetadataEndpoint },
  ],
  ['rack', 'string', '2+', 'Rack or zone of the broker, or null.', { nullable: '2+', ignorable: true }],
];

const request: readonly FieldRow[] = [
  ['controllerId', 'int32', '0+', 'Node id of the controller that sends this.', { entity: 'brokerId' }],
  [
    'isKRaftController',
    'bool',
    '8+',
    'True when the sender is a KRaft controller during a migration (KIP-866).',
    { default: 'false' },
  ],
  [
    'type',
    'int8',
    '8+',
    '1 for changes only, 2 for the state of all partitions; 0 for unknown.',
    { default: '0', tag: 0, tagged: '8+' },
  ],
  ['controllerEpoch', 'int32', '0+', 'Epoch of the controller, for brokers to ignore older ones.'],
  [
    'brokerEpoch',
    'int64',
    '5+',
    'Epoch of the broker registration; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  [
    'ungroupedPartitionStates',
    '[]UpdateMetadataPartitionState',
    '0-4',
    'States of partitions, each with its topic.',
    { fields: updateMetadataPartitionState },
  ],
  [
    'topicStates',
    '[]UpdateMetadataTopicState',
    '5+',
    'Topics with the states of partitions.',
    { fields: updateMetadataTopicState },
  ],
  ['liveBrokers', '[]UpdateMetadataBroker', '0+', 'Brokers that are alive.', { fields: updateMetadataBroker }],
];

const response: readonly FieldRow[] = [['errorCode', 'int16', '0+', 'Error code; 0 for success.']];

export default {
  key: 6,
  name: 'UpdateMetadata',
  doc: 'Told brokers the state of the cluster. Between brokers with ZooKeeper, Kafka 0.8 to 3.9.',
  flexible: '6+',
  listeners: ['zkBroker'],
  legacy: '0-8',
  request: { versions: '0-8', fields: request },
  response: { versions: '0-8', fields: response },
} as const satisfies ApiTable;
