// StreamsGroupHeartbeat, API key 88: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const keyValue: readonly FieldRow[] = [
  ['key', 'string', '0+', 'Name of the entry.'],
  ['value', 'string', '0+', 'Text of the entry.'],
];

const topicInfo: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitions', 'int32', '0+', 'Number of partitions; 0 to leave it to the broker.'],
  ['replicationFactor', 'int16', '0+', 'Replicas of each partition; 0 for the default of the broker.'],
  ['topicConfigs', '[]KeyValue', '0+', 'Topic configuration to create it with.', { fields: keyValue }],
];

const copartitionGroup: readonly FieldRow[] = [
  ['sourceTopics', '[]int16', '0+', 'Positions in sourceTopics of this part.'],
  ['sourceTopicRegex', '[]int16', '0+', 'Positions in sourceTopicRegex of this part.'],
  ['repartitionSourceTopics', '[]int16', '0+', 'Positions in repartitionSourceTopics of this part.'],
];

const subtopology: readonly FieldRow[] = [
  ['subtopologyId', 'string', '0+', 'Id of the part of the topology.'],
  ['sourceTopics', '[]string', '0+', 'Topics that the part reads.', { entity: 'topicName' }],
  ['sourceTopicRegex', '[]string', '0+', 'Patterns of topics that the part reads.'],
  [
    'stateChangelogTopics',
    '[]TopicInfo',
    '0+',
    'Changelog topics of the stores, made by the broker.',
    { fields: topicInfo },
  ],
  ['repartitionSinkTopics', '[]string', '0+', 'Repartition topics that the part writes.', { entity: 'topicName' }],
  [
    'repartitionSourceTopics',
    '[]TopicInfo',
    '0+',
    'Repartition topics that the part reads, made by the broker.',
    { fields: topicInfo },
  ],
  [
    'copartitionGroups',
    '[]CopartitionGroup',
    '0+',
    'Sets of source topics that must have the same number of partitions.',
    { fields: copartitionGroup },
  ],
];

const topology: readonly FieldRow[] = [
  ['epoch', 'int32', '0+', 'Epoch of the topology, growing with each change of the application.'],
  [
    'subtopologies',
    '[]Subtopology',
    '0+',
    'Parts of the topology that need each other only through topics.',
    { fields: subtopology },
  ],
];

const taskIds: readonly FieldRow[] = [
  ['subtopologyId', 'string', '0+', 'Id of the part of the topology.'],
  ['partitions', '[]int32', '0+', 'Partition indexes; each is one task.'],
];

const endpoint: readonly FieldRow[] = [
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'uint16', '0+', 'TCP port to connect to.'],
];

const taskOffset: readonly FieldRow[] = [
  ['subtopologyId', 'string', '0+', 'Id of the part of the topology.'],
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  ['offset', 'int64', '0+', 'Offset, added up over the changelogs of the task.'],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['memberId', 'string', '0+', 'Id of the member, made by the client.'],
  [
    'memberEpoch',
    'int32',
    '0+',
    'Epoch of the member; 0 joins, -1 leaves, -2 leaves as a static member that will return.',
  ],
  ['endpointInformationEpoch', 'int32', '0+', 'Epoch of the endpoints the member knows.'],
  [
    'instanceId',
    'string',
    '0+',
    'Id given by configuration to a static member; null for a dynamic one or unchanged.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'rackId',
    'string',
    '0+',
    'Rack or zone of the member; null for none or unchanged.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'rebalanceTimeoutMs',
    'int32',
    '0+',
    'Milliseconds the member may take to give up tasks; -1 for unchanged.',
    { default: '-1' },
  ],
  [
    'topology',
    'Topology',
    '0+',
    'Topology of the application, sent when joining; null for unchanged.',
    { nullable: '0+', default: 'null', fields: topology },
  ],
  [
    'activeTasks',
    '[]TaskIds',
    '0+',
    'Active tasks the member has now; null for unchanged.',
    { nullable: '0+', default: 'null', fields: taskIds },
  ],
  [
    'standbyTasks',
    '[]TaskIds',
    '0+',
    'Standby tasks the member has now; null for unchanged.',
    { nullable: '0+', default: 'null', fields: taskIds },
  ],
  [
    'warmupTasks',
    '[]TaskIds',
    '0+',
    'Warm-up tasks the member has now; null for unchanged.',
    { nullable: '0+', default: 'null', fields: taskIds },
  ],
  [
    'processId',
    'string',
    '0+',
    'Id of the process, the same for all members in it; null for unchanged.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'userEndpoint',
    'Endpoint',
    '0+',
    'Address for interactive queries; null for none or unchanged.',
    { nullable: '0+', default: 'null', fields: endpoint },
  ],
  [
    'clientTags',
    '[]KeyValue',
    '0+',
    'Tags for rack-aware assignment; null for unchanged.',
    { nullable: '0+', default: 'null', fields: keyValue },
  ],
  [
    'taskOffsets',
    '[]TaskOffset',
    '0+',
    'Sums of the changelog positions reached, for each task; null for unchanged.',
    { nullable: '0+', default: 'null', fields: taskOffset },
  ],
  [
    'taskEndOffsets',
    '[]TaskOffset',
    '0+',
    'Sums of the changelog end offsets, for each task; null for unchanged.',
    { nullable: '0+', default: 'null', fields: taskOffset },
  ],
  ['shutdownApplication', 'bool', '0+', 'True to have all members of the application shut down.', { default: 'false' }],
];

const status: readonly FieldRow[] = [
  [
    'statusCode',
    'int8',
    '0+',
    '0 old topology, 1 source topics missing, 2 wrongly partitioned, 3 internal topics missing, 4 shutdown, 6 client tags missing, and more.',
  ],
  ['statusDetail', 'string', '0+', 'Explanation of the condition.'],
];

const topicPartition: readonly FieldRow[] = [
  ['topic', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const endpointToPartitions: readonly FieldRow[] = [
  ['userEndpoint', 'Endpoint', '0+', 'Address of the member.', { fields: endpoint }],
  ['activePartitions', '[]TopicPartition', '0+', 'Partitions that the member processes.', { fields: topicPartition }],
  [
    'standbyPartitions',
    '[]TopicPartition',
    '0+',
    'Partitions whose state the member keeps a copy of.',
    { fields: topicPartition },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['memberId', 'string', '0+', 'Id of the member within its group.'],
  ['memberEpoch', 'int32', '0+', 'Epoch of the member, to send in the next heartbeat.'],
  ['heartbeatIntervalMs', 'int32', '0+', 'Milliseconds until the next heartbeat is due.'],
  ['acceptableRecoveryLagLegacy', 'int32', '0', 'Records a task may be behind and still count as caught up.'],
  ['taskOffsetIntervalMs', 'int32', '0+', 'Milliseconds between two reports of task offsets.'],
  [
    'acceptableRecoveryLag',
    'int64',
    '1+',
    'Records a task may be behind and still count as caught up; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  [
    'status',
    '[]Status',
    '0+',
    'Conditions of the group that the member should know; null for unchanged.',
    { nullable: '0+', fields: status },
  ],
  [
    'activeTasks',
    '[]TaskIds',
    '0+',
    'Active tasks the member shall have; null for unchanged.',
    { nullable: '0+', default: 'null', fields: taskIds },
  ],
  [
    'standbyTasks',
    '[]TaskIds',
    '0+',
    'Standby tasks the member shall have; null for unchanged.',
    { nullable: '0+', default: 'null', fields: taskIds },
  ],
  [
    'warmupTasks',
    '[]TaskIds',
    '0+',
    'Warm-up tasks the member shall have; null for unchanged.',
    { nullable: '0+', default: 'null', fields: taskIds },
  ],
  [
    'topologyDescriptionRequired',
    'bool',
    '1+',
    'True when the member shall send its topology with StreamsGroupTopologyDescriptionUpdate.',
    { default: 'false' },
  ],
  ['endpointInformationEpoch', 'int32', '0+', 'Epoch of the endpoints below.'],
  [
    'partitionsByUserEndpoint',
    '[]EndpointToPartitions',
    '0+',
    'Who serves which partitions in interactive queries; null for unchanged.',
    { nullable: '0+', default: 'null', fields: endpointToPartitions },
  ],
];

export default {
  key: 88,
  name: 'StreamsGroupHeartbeat',
  doc: 'Joins, keeps up and leaves a streams group; the broker assigns tasks (KIP-1071). Since Kafka 4.1.',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
