// What a broker wants of a client's metrics.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetTelemetrySubscriptions } from '../../../../src/protocol/flat/generated/apis.ts';
import type { GetTelemetrySubscriptionsResponse } from '../../../../src/protocol/flat/generated/get-telemetry-subscriptions.ts';
import { readSubscription, type Subscription } from '../../../../src/worker/telemetry/subscription.ts';
import { responseView } from '../../protocol/support/response-view.ts';

function read(response: GetTelemetrySubscriptionsResponse): Subscription {
  return readSubscription(responseView(GetTelemetrySubscriptions, response));
}

const name = 'org.apache.kafka.producer.record.send.rate';

for (const [prefixes, isWanted] of [
  [[''], true],
  [['', 'org.apache.kafka.consumer.'], true],
  [['*'], true],
  [['org.apache.kafka.producer.'], true],
  [['org.apache.kafka.consumer.', 'org.apache.kafka.producer.record'], true],
  [[name], true],
  [[`${name}s`], false],
  [['*', 'org.apache.kafka.consumer.'], false],
  [['apache'], false],
  [[], false],
] as const) {
  test(`${JSON.stringify(prefixes)} ${isWanted ? 'has' : 'lacks'} ${name}`, () => {
    const subscription = read({ requestedMetrics: prefixes });
    assert.equal(subscription.wants(name), isWanted);
    assert.equal(subscription.isEmpty, prefixes.length === 0);
  });
}

test('an interval that is none is five minutes, and one below that of real brokers is raised', () => {
  const intervals = [0, -1, 1, 99, 100, 60_000, 2_147_483_647].map(
    (pushIntervalMs) => read({ pushIntervalMs }).intervalMs,
  );
  assert.deepEqual(intervals, [300_000, 300_000, 100, 100, 100, 60_000, 2_147_483_647]);
});

test('lists of any length are bounded', () => {
  const requestedMetrics = Array.from({ length: 5000 }, (_, i) => `metric.${i}`);
  const acceptedCompressionTypes = Array.from({ length: 5000 }, () => 9);
  const subscription = read({ requestedMetrics, acceptedCompressionTypes });
  assert.equal(subscription.wants('metric.999'), true);
  assert.equal(subscription.wants('metrix'), false);
  assert.equal(subscription.wants('metric.4999'), true, 'metric.4 is a prefix of it');
  assert.equal(subscription.compressionTypes.length, 16);
});
