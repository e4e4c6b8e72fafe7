// PushTelemetry, API key 72: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['clientInstanceId', 'uuid', '0+', 'Id that the broker gave to this client instance.'],
  ['subscriptionId', 'int32', '0+', 'Id of the set of metrics that this follows.'],
  ['terminating', 'bool', '0+', 'True for the last push of a client that closes.'],
  ['compressionType', 'int8', '0+', 'Codec of the metrics: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.'],
  ['metrics', 'bytes', '0+', 'OpenTelemetry MetricsData in protobuf, compressed as compressionType says.'],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
];

export default {
  key: 72,
  name: 'PushTelemetry',
  doc: 'Sends client metrics to the broker. Since Kafka 3.7 (KIP-714).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
