// CreateTopics, API key 19: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const creatableReplicaAssignment: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.', { mapKey: true }],
  ['brokerIds', '[]int32', '0+', 'Node ids of the replicas, the preferred leader first.', { entity: 'brokerId' }],
];

const creatableTopicConfig: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Configuration key, such as retention.ms.', { mapKey: true }],
  ['value', 'string', '0+', 'Value to set, or null.', { nullable: '0+' }],
];

const creatableTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  [
    'numPartitions',
    'int32',
    '0+',
    'Number of partitions; -1 with assignments given, or for the default of the broker (KIP-464).',
  ],
  [
    'replicationFactor',
    'int16',
    '0+',
    'Replicas of each partition; -1 with assignments given, or for the default of the broker (KIP-464).',
  ],
  [
    'assignments',
    '[]CreatableReplicaAssignment',
    '0+',
    'Replicas chosen by hand, for all partitions; empty to let the broker choose.',
    { fields: creatableReplicaAssignment },
  ],
  ['configs', '[]CreatableTopicConfig', '0+', 'Topic configuration to set.', { fields: creatableTopicConfig }],
];

const request: readonly FieldRow[] = [
  ['topics', '[]CreatableTopic', '0+', 'Topics to create.', { fields: creatableTopic }],
  ['timeoutMs', 'int32', '0+', 'Milliseconds to wait until the topics exist everywhere.', { default: '60000' }],
  ['validateOnly', 'bool', '1+', 'True to only check the request and change nothing.', { default: 'false' }],
];

const creatableTopicConfigs: readonly FieldRow[] = [
  ['name', 'string', '5+', 'Configuration key.'],
  ['value', 'string', '5+', 'Configuration value; null when unset or sensitive.', { nullable: '5+' }],
  ['readOnly', 'bool', '5+', 'True when the value cannot be changed.'],
  [
    'configSource',
    'int8',
    '5+',
    'Where the value comes from: 1 topic, 2 broker, 3 all brokers, 4 broker file, 5 Kafka itself; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['isSensitive', 'bool', '5+', 'True for secrets, whose value is never shown.'],
];

const creatableTopicResult: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['topicId', 'uuid', '7+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'errorMessage',
    'string',
    '1+',
    'Explanation of the error by the broker, or null.',
    { nullable: '1+', ignorable: true },
  ],
  [
    'topicConfigErrorCode',
    'int16',
    '5+',
    'Why the configuration is not shown, such as 29 for not allowed; 0 for none.',
    { tag: 0, tagged: '5+', ignorable: true },
  ],
  ['numPartitions', 'int32', '5+', 'Number of partitions; -1 for unknown.', { default: '-1', ignorable: true }],
  [
    'replicationFactor',
    'int16',
    '5+',
    'Replicas of each partition; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  [
    'configs',
    '[]CreatableTopicConfigs',
    '5+',
    'Configuration of the topic in effect; null when not shown.',
    { nullable: '5+', ignorable: true, fields: creatableTopicConfigs },
  ],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '2+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['topics', '[]CreatableTopicResult', '0+', 'One result for each topic.', { fields: creatableTopicResult }],
];

export default {
  key: 19,
  name: 'CreateTopics',
  doc: 'Creates topics with partitions, replicas and configuration. Since Kafka 0.10.1 (KIP-4).',
  flexible: '5+',
  listeners: ['broker', 'controller'],
  legacy: '0-1',
  request: { versions: '0-7', fields: request },
  response: { versions: '0-7', fields: response },
} as const satisfies ApiTable;
