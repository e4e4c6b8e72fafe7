// StreamsGroupTopologyDescriptionUpdate, API key 93: shape and documentation of both messages. Read by the generator
// only, runs in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const topologyDescriptionNode: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the processing step.'],
  ['nodeType', 'int8', '0+', 'Kind of the step: 1 source, 2 processor, 3 sink.'],
  ['sourceTopics', '[]string', '0+', 'Topics that the step reads.', { entity: 'topicName' }],
  [
    'sinkTopic',
    'string',
    '0+',
    'Topic that the step writes, or null.',
    { nullable: '0+', default: 'null', entity: 'topicName' },
  ],
  ['stores', '[]string', '0+', 'Names of the state stores that the step uses.'],
  ['successors', '[]string', '0+', 'Names of the steps that follow.'],
];

const topologyDescriptionSubtopology: readonly FieldRow[] = [
  ['subtopologyId', 'string', '0+', 'Id of the part of the topology.'],
  ['nodes', '[]TopologyDescriptionNode', '0+', 'Processing steps of the part.', { fields: topologyDescriptionNode }],
];

const topologyDescriptionGlobalStore: readonly FieldRow[] = [
  [
    'source',
    'TopologyDescriptionNode',
    '0+',
    'Step that reads the topic of the store.',
    { fields: topologyDescriptionNode },
  ],
  ['processor', 'TopologyDescriptionNode', '0+', 'Step that fills the store.', { fields: topologyDescriptionNode }],
];

const topologyDescription: readonly FieldRow[] = [
  [
    'subtopologies',
    '[]TopologyDescriptionSubtopology',
    '0+',
    'Parts of the topology.',
    { fields: topologyDescriptionSubtopology },
  ],
  [
    'globalStores',
    '[]TopologyDescriptionGlobalStore',
    '0+',
    'State stores that every instance holds whole.',
    { fields: topologyDescriptionGlobalStore },
  ],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['memberId', 'string', '0+', 'Id of the member within its group.'],
  ['topologyEpoch', 'int32', '0+', 'Epoch of the topology that is described.'],
  [
    'topologyDescription',
    'TopologyDescription',
    '0+',
    'The whole topology, with every processing step.',
    { fields: topologyDescription },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success, 35 from a broker that keeps no descriptions.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
];

export default {
  key: 93,
  name: 'StreamsGroupTopologyDescriptionUpdate',
  doc: 'Gives the broker the topology of a streams application in words, for tools to show. Since Kafka 4.4.',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
