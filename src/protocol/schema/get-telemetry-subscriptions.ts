// GetTelemetrySubscriptions, API key 71: shape and documentation of both messages. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['clientInstanceId', 'uuid', '0+', 'Id of this client instance; all zero to be given one.'],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['clientInstanceId', 'uuid', '0+', 'Id of this client instance, to use from now on.'],
  ['subscriptionId', 'int32', '0+', 'Id of this set of metrics; it changes with the set.'],
  [
    'acceptedCompressionTypes',
    '[]int8',
    '0+',
    'Codecs the broker takes, best first: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.',
  ],
  ['pushIntervalMs', 'int32', '0+', 'Milliseconds between two pushes.'],
  ['telemetryMaxBytes', 'int32', '0+', 'Bytes of metrics in one push at most, after compression.'],
  ['deltaTemporality', 'bool', '0+', 'True to send counters as differences, false as totals.'],
  [
    'requestedMetrics',
    '[]string',
    '0+',
    'Prefixes of the metric names wanted; one empty text for all, an empty list for none.',
  ],
];

export default {
  key: 71,
  name: 'GetTelemetrySubscriptions',
  doc: 'Asks which client metrics the cluster wants to receive. Since Kafka 3.7 (KIP-714).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
