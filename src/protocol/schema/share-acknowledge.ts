// ShareAcknowledge, API key 79: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const acknowledgementBatch: readonly FieldRow[] = [
  ['firstOffset', 'int64', '0+', 'Offset of the first record acknowledged.'],
  ['lastOffset', 'int64', '0+', 'Offset of the last record acknowledged, included.'],
  [
    'acknowledgeTypes',
    '[]int8',
    '0+',
    'One for all or one for each record: 0 gap, 1 accept, 2 release, 3 reject, 4 renew.',
  ],
];

const acknowledgePartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.', { mapKey: true }],
  [
    'acknowledgementBatches',
    '[]AcknowledgementBatch',
    '0+',
    'Records to acknowledge.',
    { fields: acknowledgementBatch },
  ],
];

const acknowledgeTopic: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.', { mapKey: true }],
  [
    'partitions',
    '[]AcknowledgePartition',
    '0+',
    'Partitions with records to acknowledge.',
    { fields: acknowledgePartition },
  ],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Group id, or null.', { nullable: '0+', default: 'null', entity: 'groupId' }],
  ['memberId', 'string', '0+', 'Id of the member in the share group.', { nullable: '0+' }],
  [
    'shareSessionEpoch',
    'int32',
    '0+',
    'Position in the share session: 0 opens one, -1 closes it, else one more than in the last request.',
  ],
  ['isRenewAck', 'bool', '2+', 'True when acknowledgements include renewals, type 4 (KIP-1222).', { default: 'false' }],
  ['topics', '[]AcknowledgeTopic', '0+', 'Topics with records to acknowledge.', { fields: acknowledgeTopic }],
];

const leaderIdAndEpoch: readonly FieldRow[] = [
  ['leaderId', 'int32', '0+', 'Node id of the leader; -1 for none.'],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
];

const partitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the acknowledgements; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'currentLeader',
    'LeaderIdAndEpoch',
    '0+',
    'Leader that the broker knows instead, when it does not lead the partition itself.',
    { fields: leaderIdAndEpoch },
  ],
];

const shareAcknowledgeTopicResponse: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.', { mapKey: true }],
  ['partitions', '[]PartitionData', '0+', 'Partitions with the results.', { fields: partitionData }],
];

const nodeEndpoint: readonly FieldRow[] = [
  ['nodeId', 'int32', '0+', 'Node id of the broker.', { mapKey: true, entity: 'brokerId' }],
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'int32', '0+', 'TCP port to connect to.'],
  ['rack', 'string', '0+', 'Rack or zone of the broker, or null.', { nullable: '0+', default: 'null' }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'acquisitionLockTimeoutMs',
    'int32',
    '2+',
    'Milliseconds for which records stay reserved to this member.',
    { ignorable: true },
  ],
  [
    'responses',
    '[]ShareAcknowledgeTopicResponse',
    '0+',
    'Topics with the results.',
    { fields: shareAcknowledgeTopicResponse },
  ],
  [
    'nodeEndpoints',
    '[]NodeEndpoint',
    '0+',
    'Addresses of the leaders named above, so that the client needs no metadata request (KIP-951).',
    { fields: nodeEndpoint },
  ],
];

export default {
  key: 79,
  name: 'ShareAcknowledge',
  doc: 'Acknowledges records got by ShareFetch without fetching more (KIP-932).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '1-2', fields: request },
  response: { versions: '1-2', fields: response },
} as const satisfies ApiTable;
