// StreamsGroupDescribe, API key 89: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['groupIds', '[]string', '0+', 'Ids of the groups to describe.', { entity: 'groupId' }],
  [
    'includeAuthorizedOperations',
    'bool',
    '0+',
    'True to get the operations this client may do on each group (KIP-430).',
  ],
  [
    'includeTopologyDescription',
    'bool',
    '1+',
    'True to get the described topology of each group too (KIP-1331).',
    { default: 'false' },
  ],
];

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

const subtopology: readonly FieldRow[] = [
  ['subtopologyId', 'string', '0+', 'Id of the part of the topology.'],
  ['sourceTopics', '[]string', '0+', 'Topics that the part reads.', { entity: 'topicName' }],
  ['repartitionSinkTopics', '[]string', '0+', 'Repartition topics that the part writes.', { entity: 'topicName' }],
  [
    'stateChangelogTopics',
    '[]TopicInfo',
    '0+',
    'Changelog topics of the stores, made by the broker.',
    { fields: topicInfo },
  ],
  [
    'repartitionSourceTopics',
    '[]TopicInfo',
    '0+',
    'Repartition topics that the part reads, made by the broker.',
    { fields: topicInfo },
  ],
];

const topology: readonly FieldRow[] = [
  ['epoch', 'int32', '0+', 'Epoch of the topology, growing with each change of the application.'],
  [
    'subtopologies',
    '[]Subtopology',
    '0+',
    'Parts of the topology; null for a topology not initialised.',
    { nullable: '0+', default: 'null', fields: subtopology },
  ],
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

const taskIds: readonly FieldRow[] = [
  ['subtopologyId', 'string', '0+', 'Id of the part of the topology.'],
  ['partitions', '[]int32', '0+', 'Partition indexes; each is one task.'],
];

const assignment: readonly FieldRow[] = [
  ['activeTasks', '[]TaskIds', '0+', 'Tasks that process records.', { fields: taskIds }],
  ['standbyTasks', '[]TaskIds', '0+', 'Tasks that keep a copy of state ready.', { fields: taskIds }],
  ['warmupTasks', '[]TaskIds', '0+', 'Tasks that build up state before they move.', { fields: taskIds }],
];

const member: readonly FieldRow[] = [
  ['memberId', 'string', '0+', 'Id of the member within its group.'],
  ['memberEpoch', 'int32', '0+', 'Epoch of the member, growing with each change of its assignment.'],
  [
    'instanceId',
    'string',
    '0+',
    'Id given by configuration to a static member, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['rackId', 'string', '0+', 'Rack or zone of the member, or null.', { nullable: '0+', default: 'null' }],
  ['clientId', 'string', '0+', 'Client id that the member sends in its request headers.'],
  ['clientHost', 'string', '0+', 'Host that the member connects from.'],
  ['topologyEpoch', 'int32', '0+', 'Epoch of the topology that the member runs.'],
  ['processId', 'string', '0+', 'Id of the process, the same for all members in it.'],
  [
    'userEndpoint',
    'Endpoint',
    '0+',
    'Address for interactive queries, or null.',
    { nullable: '0+', default: 'null', fields: endpoint },
  ],
  ['clientTags', '[]KeyValue', '0+', 'Tags for rack-aware assignment.', { fields: keyValue }],
  [
    'taskOffsets',
    '[]TaskOffset',
    '0+',
    'Changelog positions that the tasks have reached, added up for each.',
    { fields: taskOffset },
  ],
  ['taskEndOffsets', '[]TaskOffset', '0+', 'End offsets of the changelogs.', { fields: taskOffset }],
  ['assignment', 'Assignment', '0+', 'What the member has now.', { fields: assignment }],
  ['targetAssignment', 'Assignment', '0+', 'What the member shall have in the end.', { fields: assignment }],
  ['isClassic', 'bool', '0+', 'True for a member of the classic protocol.'],
];

const topologyDescriptionNode: readonly FieldRow[] = [
  ['name', 'string', '1+', 'Name of the processing step.'],
  ['nodeType', 'int8', '1+', 'Kind of the step: 1 source, 2 processor, 3 sink.'],
  ['sourceTopics', '[]string', '1+', 'Topics that the step reads.', { entity: 'topicName' }],
  [
    'sinkTopic',
    'string',
    '1+',
    'Topic that the step writes, or null.',
    { nullable: '1+', default: 'null', entity: 'topicName' },
  ],
  ['stores', '[]string', '1+', 'Names of the state stores that the step uses.'],
  ['successors', '[]string', '1+', 'Names of the steps that follow.'],
];

const topologyDescriptionSubtopology: readonly FieldRow[] = [
  ['subtopologyId', 'string', '1+', 'Id of the part of the topology.'],
  ['nodes', '[]TopologyDescriptionNode', '1+', 'Processing steps of the part.', { fields: topologyDescriptionNode }],
];

const topologyDescriptionGlobalStore: readonly FieldRow[] = [
  [
    'source',
    'TopologyDescriptionNode',
    '1+',
    'Step that reads the topic of the store.',
    { fields: topologyDescriptionNode },
  ],
  ['processor', 'TopologyDescriptionNode', '1+', 'Step that fills the store.', { fields: topologyDescriptionNode }],
];

const topologyDescription: readonly FieldRow[] = [
  [
    'subtopologies',
    '[]TopologyDescriptionSubtopology',
    '1+',
    'Parts of the topology.',
    { fields: topologyDescriptionSubtopology },
  ],
  [
    'globalStores',
    '[]TopologyDescriptionGlobalStore',
    '1+',
    'State stores that every instance holds whole.',
    { fields: topologyDescriptionGlobalStore },
  ],
];

const describedGroup: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the group; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['groupState', 'string', '0+', 'State of the group, such as Stable or Empty; empty after an error.'],
  ['groupEpoch', 'int32', '0+', 'Epoch of the group, one more with each change of members or topics.'],
  ['assignmentEpoch', 'int32', '0+', 'Group epoch that the target assignment was made for.'],
  [
    'topology',
    'Topology',
    '0+',
    'Topology of the application; null when there is none yet.',
    { nullable: '0+', default: 'null', fields: topology },
  ],
  ['members', '[]Member', '0+', 'Members of the group.', { fields: member }],
  [
    'authorizedOperations',
    'int32',
    '0+',
    'Bit per ACL operation the client may do on the group; -2147483648 when not asked for.',
    { default: '-2147483648' },
  ],
  [
    'topologyDescription',
    'TopologyDescription',
    '1+',
    'The topology as a member described it; null unless the status is 3.',
    { nullable: '1+', default: 'null', fields: topologyDescription },
  ],
  [
    'topologyDescriptionStatus',
    'int8',
    '1+',
    '0 when not asked for, 1 when none is stored, 2 when the broker could not read it, 3 when it is there.',
    { default: '0' },
  ],
  [
    'assignorName',
    'string',
    '1+',
    'Assignor that the group uses, such as sticky; null after an error.',
    { nullable: '1+', default: 'null', ignorable: true },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['groups', '[]DescribedGroup', '0+', 'One description for each group.', { fields: describedGroup }],
];

export default {
  key: 89,
  name: 'StreamsGroupDescribe',
  doc: 'Describes streams groups with topology, members and tasks (KIP-1071). Since Kafka 4.1.',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
