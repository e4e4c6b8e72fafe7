// Metadata, API key 3: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const metadataRequestTopic: readonly FieldRow[] = [
  [
    'topicId',
    'uuid',
    '10+',
    'Id of the topic; all zero to ask by name. Brokers look at ids from version 12 on.',
    { ignorable: true },
  ],
  ['name', 'string', '0+', 'Topic name, or null to ask by id.', { nullable: '10+', entity: 'topicName' }],
];

const request: readonly FieldRow[] = [
  [
    'topics',
    '[]MetadataRequestTopic',
    '0+',
    'Topics to describe. Null for all; in version 0, which has no null, an empty list means all.',
    { nullable: '1+', fields: metadataRequestTopic },
  ],
  [
    'allowAutoTopicCreation',
    'bool',
    '4+',
    'True to let the broker create missing topics, if it is configured so. Before version 4 always so.',
    { default: 'true' },
  ],
  [
    'includeClusterAuthorizedOperations',
    'bool',
    '8-10',
    'True to get the operations this client may do on the cluster (KIP-430).',
  ],
  [
    'includeTopicAuthorizedOperations',
    'bool',
    '8+',
    'True to get the operations this client may do on each topic (KIP-430).',
  ],
];

const metadataResponseBroker: readonly FieldRow[] = [
  ['nodeId', 'int32', '0+', 'Node id of the broker.', { mapKey: true, entity: 'brokerId' }],
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'int32', '0+', 'TCP port to connect to.'],
  [
    'rack',
    'string',
    '1+',
    'Rack or zone of the broker, or null.',
    { nullable: '1+', default: 'null', ignorable: true },
  ],
];

const metadataResponsePartition: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the partition, such as 5 for no leader; 0 for none.'],
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['leaderId', 'int32', '0+', 'Node id of the leader; -1 for none.', { entity: 'brokerId' }],
  [
    'leaderEpoch',
    'int32',
    '7+',
    'Epoch of the leader, one more with each election; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['replicaNodes', '[]int32', '0+', 'Node ids of all replicas, the preferred leader first.', { entity: 'brokerId' }],
  ['isrNodes', '[]int32', '0+', 'Node ids of the replicas that are in sync.', { entity: 'brokerId' }],
  [
    'offlineReplicas',
    '[]int32',
    '5+',
    'Node ids of the replicas whose broker or log directory is down.',
    { ignorable: true, entity: 'brokerId' },
  ],
];

const metadataResponseTopic: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the topic; 0 for none.'],
  [
    'name',
    'string',
    '0+',
    'Topic name; null when asked by id and the id is unknown.',
    { nullable: '12+', mapKey: true, entity: 'topicName' },
  ],
  ['topicId', 'uuid', '10+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'isInternal',
    'bool',
    '1+',
    'True for topics of Kafka itself, such as __consumer_offsets.',
    { default: 'false', ignorable: true },
  ],
  [
    'partitions',
    '[]MetadataResponsePartition',
    '0+',
    'Partitions of the topic, in no particular order.',
    { fields: metadataResponsePartition },
  ],
  [
    'topicAuthorizedOperations',
    'int32',
    '8+',
    'Bit per ACL operation the client may do on the topic; -2147483648 when not asked for.',
    { default: '-2147483648' },
  ],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '3+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  [
    'brokers',
    '[]MetadataResponseBroker',
    '0+',
    'Brokers of the cluster that are alive.',
    { fields: metadataResponseBroker },
  ],
  [
    'clusterId',
    'string',
    '2+',
    'Id of the cluster, or null when the broker does not know it.',
    { nullable: '2+', default: 'null', ignorable: true },
  ],
  [
    'controllerId',
    'int32',
    '1+',
    'Node id of the controller, or of a broker that forwards to it; -1 for none.',
    { default: '-1', ignorable: true, entity: 'brokerId' },
  ],
  [
    'topics',
    '[]MetadataResponseTopic',
    '0+',
    'Topics asked for, those with errors included.',
    { fields: metadataResponseTopic },
  ],
  [
    'clusterAuthorizedOperations',
    'int32',
    '8-10',
    'Bit per ACL operation the client may do on the cluster; -2147483648 when not asked for.',
    { default: '-2147483648' },
  ],
  [
    'errorCode',
    'int16',
    '13+',
    'Error of the whole request, such as 129 to start over from the bootstrap addresses (KIP-1102); 0 for none.',
    { ignorable: true },
  ],
];

export default {
  key: 3,
  name: 'Metadata',
  doc: 'Asks any broker for brokers, controller, topics, partitions and their leaders. Since Kafka 0.8.',
  flexible: '9+',
  listeners: ['broker'],
  request: { versions: '0-13', fields: request },
  response: { versions: '0-13', fields: response },
} as const satisfies ApiTable;
