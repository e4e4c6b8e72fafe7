// BrokerHeartbeat, API key 63: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['brokerId', 'int32', '0+', 'Node id of the broker.', { entity: 'brokerId' }],
  ['brokerEpoch', 'int64', '0+', 'Epoch of the broker registration; -1 for unknown.', { default: '-1' }],
  ['currentMetadataOffset', 'int64', '0+', 'Highest metadata offset that the broker has applied.'],
  ['wantFence', 'bool', '0+', 'True to be taken out of service.'],
  ['wantShutDown', 'bool', '0+', 'True to be shut down in good order.'],
  ['offlineLogDirs', '[]uuid', '1+', 'Ids of the log directories that failed (KIP-858).', { tag: 0, tagged: '1+' }],
  [
    'cordonedLogDirs',
    '[]uuid',
    '2+',
    'Ids of the log directories closed to new replicas (KIP-1066), or null.',
    { nullable: '2+', default: 'null', tag: 1, tagged: '2+' },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['isCaughtUp', 'bool', '0+', 'True when the broker has about all metadata.', { default: 'false' }],
  ['isFenced', 'bool', '0+', 'True while the broker is out of service.', { default: 'true' }],
  ['shouldShutDown', 'bool', '0+', 'True when the broker may stop now.'],
];

export default {
  key: 63,
  name: 'BrokerHeartbeat',
  doc: 'Keeps a broker registered with the controller, and asks to be fenced or shut down (KIP-631).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
