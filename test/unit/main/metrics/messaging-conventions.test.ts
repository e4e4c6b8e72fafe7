// The attributes of spans, beside the names that OpenTelemetry's own package of conventions has.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import {
  type MessagingFacts,
  messagingAttributes,
  messagingNamesOf,
  spanName,
} from '../../../../src/main/metrics/messaging-conventions.ts';

const conventions = createRequire(import.meta.url)('@opentelemetry/semantic-conventions/incubating') as Record<
  string,
  string
>;

const all: Required<MessagingFacts> = {
  operation: 'send',
  topic: 'orders',
  partition: 3,
  groupId: 'readers',
  offset: 42,
  key: 'k',
  isTombstone: true,
  count: 7,
  errorType: 'KAFKA_TIMEOUT',
};

test('OTEL_SEMCONV_STABILITY_OPT_IN chooses the names', () => {
  for (const optIn of [undefined, '', 'http', 'http/dup,database', 'messagin', 'MESSAGING']) {
    assert.equal(messagingNamesOf(optIn), 'former', String(optIn));
  }
  for (const optIn of ['messaging', 'http, messaging', 'messaging,database']) {
    assert.equal(messagingNamesOf(optIn), 'present', optIn);
  }
  // Both wins over one, as the specification says of the `dup` values.
  for (const optIn of ['messaging/dup', 'messaging,messaging/dup', 'http/dup,messaging/dup']) {
    assert.equal(messagingNamesOf(optIn), 'both', optIn);
  }
});

test('every present name is one of the conventions', () => {
  const known = new Set(Object.values(conventions));
  const names = Object.keys(messagingAttributes(all, 'present'));
  assert.equal(names.length, 11);
  for (const name of names) assert.ok(known.has(name), name);
});

test('the present names and the former ones', () => {
  assert.deepEqual(messagingAttributes(all, 'present'), {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'send',
    'messaging.operation.type': conventions.MESSAGING_OPERATION_TYPE_VALUE_SEND,
    'messaging.destination.name': 'orders',
    'messaging.destination.partition.id': '3',
    'messaging.consumer.group.name': 'readers',
    'messaging.kafka.offset': 42,
    'messaging.kafka.message.key': 'k',
    'messaging.kafka.message.tombstone': true,
    'messaging.batch.message_count': 7,
    'error.type': 'KAFKA_TIMEOUT',
  });
  assert.deepEqual(
    messagingAttributes({ operation: 'process', topic: 't', partition: 0, groupId: 'g', offset: 1 }, 'former'),
    {
      'messaging.system': 'kafka',
      'messaging.operation': 'process',
      'messaging.destination.name': 't',
      'messaging.kafka.destination.partition': 0,
      'messaging.kafka.consumer.group': 'g',
      'messaging.kafka.message.offset': 1,
    },
  );
  const both = messagingAttributes(all, 'both');
  for (const names of ['former', 'present'] as const) {
    for (const [name, value] of Object.entries(messagingAttributes(all, names))) assert.equal(both[name], value, name);
  }
});

test('what is not known has no attribute', () => {
  assert.deepEqual(Object.keys(messagingAttributes({ operation: 'send', topic: 't', isTombstone: false }, 'present')), [
    'messaging.system',
    'messaging.operation.name',
    'messaging.operation.type',
    'messaging.destination.name',
  ]);
});

test('names of spans', () => {
  assert.equal(spanName({ operation: 'send', topic: 'orders' }, 'present'), 'send orders');
  assert.equal(spanName({ operation: 'process', topic: 'orders' }, 'both'), 'process orders');
  assert.equal(spanName({ operation: 'send', topic: 'orders' }, 'former'), 'orders publish');
  assert.equal(spanName({ operation: 'process', topic: 'orders' }, 'former'), 'orders process');
});
