// UnregisterController, API key 94: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [['controllerId', 'int32', '0+', 'Node id of the controller to remove.']];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success, 136 for an id that is not registered.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
];

export default {
  key: 94,
  name: 'UnregisterController',
  doc: 'Removes a controller that is gone for good from the cluster. Since Kafka 4.4.',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
