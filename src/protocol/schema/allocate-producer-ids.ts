// AllocateProducerIds, API key 67: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['brokerId', 'int32', '0+', 'Node id of the broker.', { entity: 'brokerId' }],
  ['brokerEpoch', 'int64', '0+', 'Epoch of the broker registration; -1 for unknown.', { default: '-1' }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['producerIdStart', 'int64', '0+', 'First producer id of the block.', { entity: 'producerId' }],
  ['producerIdLen', 'int32', '0+', 'Number of producer ids in the block.'],
];

export default {
  key: 67,
  name: 'AllocateProducerIds',
  doc: 'Gets a block of producer ids for a broker to hand out. From brokers (KIP-730).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
