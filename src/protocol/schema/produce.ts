// Produce, API key 0: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const partitionProduceData: readonly FieldRow[] = [
  ['index', 'int32', '0+', 'Partition index within the topic.'],
  ['records', 'records', '0+', 'Record batches, one per partition since version 3, or null.', { nullable: '0+' }],
];

const topicProduceData: readonly FieldRow[] = [
  [
    'name',
    'string',
    '0-12',
    'Name of the topic; case matters.',
    { ignorable: true, mapKey: true, entity: 'topicName' },
  ],
  ['topicId', 'uuid', '13+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true, mapKey: true }],
  ['partitionData', '[]PartitionProduceData', '0+', 'Partitions to write to.', { fields: partitionProduceData }],
];

const request: readonly FieldRow[] = [
  [
    'transactionalId',
    'string',
    '3+',
    'Transactional id, or null when the records belong to no transaction.',
    { nullable: '3+', default: 'null', entity: 'transactionalId' },
  ],
  ['acks', 'int16', '0+', 'What to wait for: 0 nothing (no response comes), 1 the leader, -1 all in-sync replicas.'],
  ['timeoutMs', 'int32', '0+', 'Milliseconds the leader may wait for the acks.'],
  ['topicData', '[]TopicProduceData', '0+', 'Topics to write to.', { fields: topicProduceData }],
];

const batchIndexAndErrorMessage: readonly FieldRow[] = [
  ['batchIndex', 'int32', '8+', 'Position of the record in its batch, from 0.'],
  [
    'batchIndexErrorMessage',
    'string',
    '8+',
    'Explanation for this record, or null.',
    { nullable: '8+', default: 'null' },
  ],
];

const leaderIdAndEpoch: readonly FieldRow[] = [
  ['leaderId', 'int32', '10+', 'Node id of the leader; -1 for none.', { default: '-1', entity: 'brokerId' }],
  [
    'leaderEpoch',
    'int32',
    '10+',
    'Epoch of the leader, one more with each election; -1 for unknown.',
    { default: '-1' },
  ],
];

const partitionProduceResponse: readonly FieldRow[] = [
  ['index', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['baseOffset', 'int64', '0+', 'Offset given to the first record.'],
  [
    'logAppendTimeMs',
    'int64',
    '2+',
    'Unix milliseconds the broker put on all records; -1 when the topic keeps the times of the producer.',
    { default: '-1', ignorable: true },
  ],
  ['logStartOffset', 'int64', '5+', 'Lowest offset of the log; -1 for unknown.', { default: '-1', ignorable: true }],
  [
    'recordErrors',
    '[]BatchIndexAndErrorMessage',
    '8+',
    'Records for which the batch was refused (KIP-467).',
    { ignorable: true, fields: batchIndexAndErrorMessage },
  ],
  [
    'errorMessage',
    'string',
    '8+',
    'Common explanation for all refused records, or null.',
    { nullable: '8+', default: 'null', ignorable: true },
  ],
  [
    'currentLeader',
    'LeaderIdAndEpoch',
    '10+',
    'Leader that the broker knows instead, when it does not lead the partition itself.',
    { tag: 0, tagged: '10+', fields: leaderIdAndEpoch },
  ],
];

const topicProduceResponse: readonly FieldRow[] = [
  [
    'name',
    'string',
    '0-12',
    'Name of the topic; case matters.',
    { ignorable: true, mapKey: true, entity: 'topicName' },
  ],
  ['topicId', 'uuid', '13+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true, mapKey: true }],
  [
    'partitionResponses',
    '[]PartitionProduceResponse',
    '0+',
    'Partitions written to.',
    { fields: partitionProduceResponse },
  ],
];

const nodeEndpoint: readonly FieldRow[] = [
  ['nodeId', 'int32', '10+', 'Node id of the broker.', { mapKey: true, entity: 'brokerId' }],
  ['host', 'string', '10+', 'Host name or address to connect to.'],
  ['port', 'int32', '10+', 'TCP port to connect to.'],
  ['rack', 'string', '10+', 'Rack or zone of the broker, or null.', { nullable: '10+', default: 'null' }],
];

const response: readonly FieldRow[] = [
  ['responses', '[]TopicProduceResponse', '0+', 'Topics written to.', { fields: topicProduceResponse }],
  [
    'throttleTimeMs',
    'int32',
    '1+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { default: '0', ignorable: true },
  ],
  [
    'nodeEndpoints',
    '[]NodeEndpoint',
    '10+',
    'Addresses of the leaders named above, so that the client needs no metadata request (KIP-951).',
    { tag: 0, tagged: '10+', fields: nodeEndpoint },
  ],
];

export default {
  key: 0,
  name: 'Produce',
  doc: 'Appends record batches to partitions that the broker leads; with acks 0 no response comes. Since Kafka 0.8.',
  flexible: '9+',
  listeners: ['broker'],
  legacy: '0-2',
  request: { versions: '0-13', fields: request },
  response: { versions: '0-13', fields: response },
} as const satisfies ApiTable;
