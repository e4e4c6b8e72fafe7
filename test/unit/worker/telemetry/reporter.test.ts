// When a producer or consumer asks brokers what they want of its metrics, when it pushes them, and what it does after each error.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { GetTelemetrySubscriptions, PushTelemetry } from '../../../../src/protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../../../src/protocol/flat/uuid.ts';
import { readMetrics } from '../../../helpers/otlp-reader.ts';
import { instanceId, intervalMs, TelemetryBench } from './support/telemetry-bench.ts';

let bench: TelemetryBench;

beforeEach(() => {
  bench = new TelemetryBench();
});

/** A subscription, and the time until its first push. */
function pushing(): void {
  bench.subscribe();
  bench.advance(intervalMs);
  assert.deepEqual(bench.asked, ['PushTelemetry to 1']);
}

test('the first question has no id, later ones have the id that the broker gave, which stays', () => {
  assert.equal(bench.subscribe(), zeroUuid);
  assert.deepEqual(bench.ids, [instanceId]);
  bench.advance(intervalMs);
  assert.equal(bench.takePush(117).clientInstanceId, instanceId);
  assert.equal(bench.subscribe({ clientInstanceId: 'BBBBBBBBBBBBBBBBBBBBBA' }), instanceId);
  bench.advance(intervalMs);
  assert.equal(bench.takePush().clientInstanceId, instanceId);
  assert.deepEqual(bench.ids, [instanceId], 'told once');
});

for (const [random, firstMs] of [
  [0, 5000],
  [0.9, 14000],
] as const) {
  test(`the first push comes after ${firstMs} ms when chance says ${random}, and then one each interval`, () => {
    bench.random = random;
    bench.subscribe();
    bench.advance(firstMs - 1);
    assert.deepEqual(bench.asked, []);
    bench.advance(1);
    const push = bench.takePush();
    assert.deepEqual([push.subscriptionId, push.terminating, push.compressionType], [7, false, 0]);
    bench.advance(intervalMs - 1);
    assert.deepEqual(bench.asked, []);
    bench.advance(1);
    assert.deepEqual(bench.asked, ['PushTelemetry to 1']);
  });
}

test('what it throws when an answer comes ends the pushing, and not the connection of that answer', () => {
  const fault = new RangeError('Array buffer allocation failed');
  bench.onInstanceId = () => {
    throw fault;
  };
  bench.subscribe();
  assert.deepEqual(bench.faults, [fault]);
  bench.advance(10 * intervalMs);
  assert.deepEqual(bench.asked, []);
});

test('nothing is recorded until a broker wants it', () => {
  assert.equal(bench.measures.recorder, null);
  bench.subscribe({ requestedMetrics: [] });
  assert.equal(bench.measures.recorder, null);
  assert.equal(bench.metrics.isOn, false);
  bench.advance(intervalMs);
  bench.subscribe();
  assert.notEqual(bench.measures.recorder, null);
  assert.equal(bench.metrics.isOn, true);
});

test('a broker that wants no metrics is asked again after its interval, and gets no push', () => {
  bench.subscribe({ requestedMetrics: [] });
  bench.advance(intervalMs - 1);
  assert.deepEqual(bench.asked, []);
  bench.advance(1);
  assert.deepEqual(bench.asked, ['GetTelemetrySubscriptions to 1']);
});

test('a push says whose numbers they are, and has those that are wanted', () => {
  bench.subscribe({
    requestedMetrics: ['org.apache.kafka.producer.record.queue', 'org.apache.kafka.producer.connection'],
  });
  bench.metrics.connectionCreated(-1);
  bench.advance(intervalMs);
  const { said } = bench.takePush();
  assert.deepEqual(said.resource, { transactional_id: 'tx', client_rack: 'r1' });
  assert.deepEqual(
    said.metrics.map(({ name, kind, temporality, points }) => [name, kind, temporality, points[0]!.value]),
    [
      ['org.apache.kafka.producer.connection.creation.total', 'sum', 2, 1],
      ['org.apache.kafka.producer.connection.creation.rate', 'gauge', 0, 1 / 40],
      ['org.apache.kafka.producer.record.queue.time.avg', 'gauge', 0, 0],
      ['org.apache.kafka.producer.record.queue.time.max', 'gauge', 0, 0],
    ],
  );
});

describe('totals as differences', () => {
  const name = 'org.apache.kafka.producer.record.error.total';
  const fail = (count: number): void => bench.measures.recorder!.recordsFailed('t', count, bench.now);

  beforeEach(() => bench.subscribe({ deltaTemporality: true, requestedMetrics: [name] }));

  test('begin with the start of the recording, and then with the last push', () => {
    fail(3);
    bench.advance(intervalMs);
    const first = bench.takePush().said.metrics[0]!;
    assert.deepEqual([first.name, first.temporality, first.isMonotonic, first.points[0]!.value], [name, 1, true, 3]);
    assert.equal(first.points[0]!.startMs, 1_700_000_001_000);
    fail(2);
    bench.advance(intervalMs);
    const second = bench.takePush().said.metrics[0]!.points[0]!;
    assert.deepEqual([second.value, second.startMs], [2, first.points[0]!.atMs]);
    bench.advance(intervalMs);
    assert.equal(bench.takePush().said.metrics[0]!.points[0]!.value, 0);
  });

  test('have what a refused push had, and not what a push had whose answer was lost', () => {
    fail(3);
    bench.advance(intervalMs);
    bench.takePush(117);
    bench.subscribe({ deltaTemporality: true, requestedMetrics: [name] });
    bench.advance(intervalMs);
    assert.deepEqual(bench.asked, ['PushTelemetry to 1']);
    assert.equal(
      readMetrics((bench.waiting[0]!.request as { metrics: Uint8Array }).metrics).metrics[0]!.points[0]!.value,
      3,
    );
    bench.fail(PushTelemetry);
    fail(1);
    bench.advance(intervalMs);
    bench.subscribe({ deltaTemporality: true, requestedMetrics: [name] });
    bench.advance(intervalMs);
    assert.equal(bench.takePush().said.metrics[0]!.points[0]!.value, 1);
  });
});

describe('after an error', () => {
  for (const [name, code] of [
    ['UNKNOWN_SUBSCRIPTION_ID', 117],
    ['UNSUPPORTED_COMPRESSION_TYPE', 76],
  ] as const) {
    test(`${name} the broker is asked at once, but not without end`, () => {
      pushing();
      bench.takePush(code);
      assert.deepEqual(bench.asked, ['GetTelemetrySubscriptions to 1']);
      bench.subscribe({ errorCode: code });
      assert.deepEqual(bench.asked, [], 'it was asked at once before');
      bench.advance(intervalMs - 1);
      assert.deepEqual(bench.asked, []);
      bench.advance(1);
      assert.deepEqual(bench.asked, ['GetTelemetrySubscriptions to 1']);
    });
  }

  for (const [name, code] of [
    ['TELEMETRY_TOO_LARGE', 118],
    ['THROTTLING_QUOTA_EXCEEDED', 89],
  ] as const) {
    test(`${name} the broker is asked after the interval`, () => {
      pushing();
      bench.takePush(code);
      bench.advance(intervalMs - 1);
      assert.deepEqual(bench.asked, []);
      bench.advance(1);
      assert.deepEqual(bench.asked, ['GetTelemetrySubscriptions to 1']);
    });
  }

  for (const [name, code] of [
    ['INVALID_REQUEST', 42],
    ['INVALID_RECORD', 87],
    ['UNSUPPORTED_VERSION', 35],
    ['CLUSTER_AUTHORIZATION_FAILED', 31],
    ['a code that nobody knows', 9999],
  ] as const) {
    test(`${name} to a push nothing is pushed any more, and the log says so`, () => {
      pushing();
      bench.takePush(code);
      bench.advance(1_000_000_000);
      assert.deepEqual(bench.asked, []);
      assert.equal(bench.reporter.nextDeadline(), Number.POSITIVE_INFINITY);
      const told = bench.log.filter((line) => line.startsWith('warn'));
      assert.equal(told.length, 1);
      assert.match(told[0]!, /^warn metrics-push-ended: this producer pushes no metrics any more: \[Error \d+\]/);
      bench.reporter.close(bench.now);
      assert.deepEqual(bench.asked, []);
    });

    test(`${name} to the question nothing is asked any more`, () => {
      bench.subscribe({ errorCode: code });
      bench.advance(1_000_000_000);
      assert.deepEqual(bench.asked, []);
    });
  }

  test('of the connection the broker is asked after the interval, five minutes before one is known', () => {
    bench.fail(GetTelemetrySubscriptions);
    bench.advance(300_000 - 1);
    assert.deepEqual(bench.asked, []);
    bench.advance(1);
    pushing();
    bench.fail(PushTelemetry);
    bench.advance(intervalMs - 1);
    assert.deepEqual(bench.asked, []);
    bench.advance(1);
    assert.deepEqual(bench.asked, ['GetTelemetrySubscriptions to 1']);
  });

  test('a broker that gives no id is not asked again', () => {
    bench.subscribe({ clientInstanceId: zeroUuid });
    bench.advance(1_000_000_000);
    assert.deepEqual([bench.asked, bench.ids], [[], []]);
    assert.match(bench.log.join(), /the broker gave no client instance id/);
  });
});

describe('the broker', () => {
  test('stays the same while it is connected, and is another one when it is not', () => {
    bench.brokers = [1, 2, 3];
    bench.taking = new Set([1, 3]);
    bench.connected = new Set([1, 2, 3]);
    bench.subscribe();
    for (const random of [0, 0.4, 0.9]) {
      bench.random = random;
      bench.advance(intervalMs);
      assert.deepEqual(bench.asked, ['PushTelemetry to 1']);
      bench.takePush();
    }
    bench.connected.delete(1);
    bench.advance(intervalMs);
    assert.deepEqual(bench.asked, ['PushTelemetry to 3'], '2 takes no metrics');
    bench.takePush();
    bench.connected.add(1);
    bench.advance(intervalMs);
    assert.deepEqual(bench.asked, ['PushTelemetry to 3']);
  });

  test('is connected to when none has been, since only then it says what it takes', () => {
    bench.subscribe();
    bench.brokers = [2];
    bench.taking = new Set([2]);
    bench.connected.clear();
    bench.unheard = new Set([2]);
    bench.advance(intervalMs + 199);
    assert.deepEqual([bench.asked, bench.dialled], [[], [2]]);
    bench.connected.add(2);
    bench.unheard.clear();
    bench.advance(1);
    assert.deepEqual(bench.asked, ['PushTelemetry to 2']);
  });

  test('is connected to if none is', () => {
    bench.subscribe();
    bench.connected.clear();
    bench.advance(intervalMs + 199);
    assert.deepEqual([bench.asked, bench.dialled], [[], [1]]);
    bench.connected.add(1);
    bench.advance(1);
    assert.deepEqual(bench.asked, ['PushTelemetry to 1']);
    bench.takePush();
    bench.connected.clear();
    bench.advance(intervalMs + 60_000);
    // After 0.2, 0.4, ... s, and then every five.
    assert.equal(bench.dialled.length, 1 + 5 + 11);
  });

  test('is looked for again when none is known that takes metrics', () => {
    bench.subscribe();
    bench.taking.clear();
    bench.advance(300_000);
    assert.deepEqual(bench.asked, []);
    bench.taking.add(1);
    bench.advance(5000);
    assert.deepEqual(bench.asked, ['PushTelemetry to 1']);
  });
});

describe('the end', () => {
  test('sends the last numbers at once and is silent then', () => {
    bench.subscribe();
    bench.reporter.close(bench.now);
    assert.deepEqual([bench.asked, bench.flushed], [['PushTelemetry to 1'], [1]]);
    assert.equal(bench.takePush(117).terminating, true);
    bench.advance(1_000_000);
    bench.reporter.close(bench.now);
    assert.deepEqual(bench.asked, []);
    assert.equal(bench.reporter.nextDeadline(), Number.POSITIVE_INFINITY);
  });

  test('sends them also while a push awaits its answer, which then changes nothing', () => {
    pushing();
    bench.reporter.close(bench.now);
    assert.deepEqual(bench.asked, ['PushTelemetry to 1', 'PushTelemetry to 1']);
    assert.equal(bench.takePush(118).terminating, false);
    assert.equal(bench.takePush().terminating, true);
    bench.advance(1_000_000);
    assert.deepEqual(bench.asked, []);
  });

  test('sends nothing if no broker has said what it wants, or wants nothing, or none is connected', () => {
    bench.reporter.close(bench.now);
    assert.deepEqual(bench.asked, ['GetTelemetrySubscriptions to 1']);
    bench.subscribe();
    bench.advance(intervalMs * 2);
    assert.deepEqual(bench.asked, []);
    const empty = new TelemetryBench();
    empty.subscribe({ requestedMetrics: [] });
    empty.reporter.close(empty.now);
    const alone = new TelemetryBench();
    alone.subscribe();
    alone.connected.clear();
    alone.reporter.close(alone.now);
    assert.deepEqual([empty.asked, alone.asked, alone.dialled], [[], [], []]);
  });
});

test('metrics that are more than the broker takes are left out from the end, and the log says so', () => {
  bench.subscribe({ telemetryMaxBytes: 1000 });
  bench.advance(intervalMs);
  const push = bench.takePush();
  assert.ok(push.metrics.byteLength <= 1000);
  assert.equal(push.said.metrics[0]!.name, 'org.apache.kafka.producer.connection.creation.total');
  assert.match(bench.log.join(), /\d+ of \d+ metrics are not pushed: the broker takes at most 1000 bytes/);
});

test('what was left out for its size is told later as a difference to what the broker has', () => {
  const isDelta = {
    deltaTemporality: true,
    requestedMetrics: [
      'org.apache.kafka.producer.topic.record.error.total',
      'org.apache.kafka.producer.record.error.total',
    ],
  };
  bench.subscribe({ ...isDelta, telemetryMaxBytes: 200 });
  bench.measures.recorder!.recordsFailed('t', 3, bench.now);
  bench.advance(intervalMs);
  const first = bench.takePush(117);
  assert.deepEqual(
    first.said.metrics.map(({ name }) => name),
    ['org.apache.kafka.producer.record.error.total'],
  );
  bench.subscribe({ ...isDelta, telemetryMaxBytes: 200 });
  bench.advance(intervalMs);
  bench.takePush();
  bench.advance(intervalMs);
  bench.takePush(117);
  bench.subscribe(isDelta);
  bench.measures.recorder!.recordsFailed('t', 1, bench.now);
  bench.advance(intervalMs);
  assert.deepEqual(
    bench.takePush().said.metrics.map(({ points }) => points[0]!.value),
    [1, 4],
    'the second metric was never sent before',
  );
});

test('a broker that takes no byte gets no push, and is not asked more often for that', () => {
  bench.subscribe({ telemetryMaxBytes: 0 });
  bench.advance(intervalMs * 3);
  assert.deepEqual(bench.asked, []);
  assert.ok(bench.reporter.nextDeadline() > bench.now);
});
