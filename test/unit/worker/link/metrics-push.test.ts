// Producers and consumers of a whole network thread, whose brokers take metrics or take none.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { GetTelemetrySubscriptions, PushTelemetry } from '../../../../src/protocol/flat/generated/apis.ts';
import { consumerCallFrame } from '../../../../src/ring/frames/consumer-frames.ts';
import { writeFrame } from '../../../../src/ring/frames/frame.ts';
import { PRODUCER_CLOSED } from '../../../../src/ring/frames/kinds.ts';
import { producerCloseFrame } from '../../../../src/ring/frames/producer-call-frames.ts';
import { ConsumerSnapshotReader, createConsumerSnapshot } from '../../../../src/state/consumer-snapshot.ts';
import { ConnectionNumbers } from '../../../../src/worker/telemetry/connection-numbers.ts';
import { readMetrics } from '../../../helpers/otlp-reader.ts';
import { range } from '../support/fake-peer.ts';
import { openConsumerLink, openProducerLink } from '../support/role-links.ts';
import { instanceId, intervalMs, wanted } from '../telemetry/support/telemetry-bench.ts';
import { broker, net, start } from './support/small-link.ts';

const ports: MessagePort[] = [];

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

/** A cluster of one broker, which is connected. */
function startTaking(takesMetrics: boolean): void {
  start();
  if (!takesMetrics) return;
  broker.ranges = new Map([...broker.ranges, [71, range(0, 0)], [72, range(0, 0)]]);
  broker.handlers.set(GetTelemetrySubscriptions.key, () => ({ ...wanted, errorCode: 0 }));
  broker.handlers.set(PushTelemetry.key, () => ({ errorCode: 0 }));
  // The connection that is there has told the versions of before.
  broker.transport.end();
  net.run();
  net.advance(1000);
  net.ready(1);
}

function pushed(): { readonly isLast: boolean; readonly names: string[] }[] {
  return broker.requestsOf(PushTelemetry).map(({ body }) => ({
    isLast: body.terminating as boolean,
    names: readMetrics(body.metrics as Uint8Array).metrics.map(({ name }) => name),
  }));
}

const asked = (): number => broker.requestsOf(GetTelemetrySubscriptions).length;

describe('a producer', () => {
  test('asks a broker after a second, pushes at its interval, and a last time before its end is told', async () => {
    startTaking(true);
    const { end, counters } = await openProducerLink(net.control, ports);
    net.advance(900);
    assert.deepEqual([asked(), counters.instanceId], [0, null]);
    net.advance(200);
    assert.deepEqual([asked(), counters.instanceId], [1, instanceId]);
    net.advance(intervalMs);
    assert.equal(pushed().length, 1);
    assert.ok(pushed()[0]!.names.includes('org.apache.kafka.producer.record.send.total'));
    net.advance(intervalMs);
    assert.deepEqual(
      pushed().map(({ isLast }) => isLast),
      [false, false],
    );
    assert.ok(writeFrame(end.requests, producerCloseFrame({ callId: 1, timeoutMs: 0 })));
    net.thread.loop.wake();
    net.run();
    assert.deepEqual(
      pushed().map(({ isLast }) => isLast),
      [false, false, true],
    );
    assert.ok(end.responses.next());
    assert.equal(end.responses.kind, PRODUCER_CLOSED);
    net.advance(10 * intervalMs);
    assert.equal(pushed().length, 3);
  });

  test('asks no broker that takes no metrics, however long it lives', async () => {
    startTaking(false);
    await openProducerLink(net.control, ports);
    net.advance(3_600_000);
    assert.deepEqual([asked(), pushed()], [0, []]);
  });

  test('asks nobody when that is switched off', async () => {
    startTaking(true);
    await openProducerLink(net.control, ports, { enableMetricsPush: false });
    net.advance(3_600_000);
    assert.equal(asked(), 0);
  });

  test('whose end comes before a broker has answered pushes nothing', async () => {
    startTaking(true);
    broker.handlers.delete(GetTelemetrySubscriptions.key);
    const { end } = await openProducerLink(net.control, ports);
    net.advance(1100);
    assert.equal(asked(), 1);
    assert.ok(writeFrame(end.requests, producerCloseFrame({ callId: 1, timeoutMs: 0 })));
    net.thread.loop.wake();
    net.run();
    broker.reply({ ...wanted, errorCode: 0 });
    net.advance(10 * intervalMs);
    assert.deepEqual(pushed(), []);
  });

  test('goes on when the pushing of its metrics has a fault', async (t) => {
    startTaking(true);
    const { end, told } = await openProducerLink(net.control, ports);
    net.advance(1100);
    t.mock.method(ConnectionNumbers.prototype, 'latencies', () => {
      throw new Error('a fault of ours');
    });
    net.advance(intervalMs * 2);
    assert.deepEqual([pushed(), told()], [[], undefined]);
    assert.ok(writeFrame(end.requests, producerCloseFrame({ callId: 1, timeoutMs: 0 })));
    net.thread.loop.wake();
    net.run();
    assert.ok(end.responses.next());
    assert.equal(end.responses.kind, PRODUCER_CLOSED);
  });
});

describe('a consumer', () => {
  test('does the same, and its id is in its state', async () => {
    startTaking(true);
    const snapshot = createConsumerSnapshot();
    const reader = new ConsumerSnapshotReader(snapshot);
    const { end } = await openConsumerLink(net.control, ports, snapshot);
    assert.equal(reader.instanceId, null);
    net.advance(1100);
    // It has nothing to fetch, so nothing but an event makes a round.
    net.thread.loop.wake();
    net.run();
    assert.equal(reader.instanceId, instanceId);
    net.advance(intervalMs);
    assert.ok(pushed()[0]!.names.includes('org.apache.kafka.consumer.fetch.manager.fetch.total'));
    const call = { op: 'close', timeoutMs: 0, leave: 'default' } as const;
    assert.ok(writeFrame(end.requests, consumerCallFrame({ callId: 1, call })));
    net.thread.loop.wake();
    net.run();
    assert.deepEqual(
      pushed().map(({ isLast }) => isLast),
      [false, true],
    );
  });
});
