// What comes between two records of a link, or between two looks at the link, counts for the second record: it is not simply added to the
// batch of the first.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { parseProducerConfig } from '../../../../src/common/config/producer-config.ts';
import { createProducerMemory } from '../../../../src/main/producer/producer-memory.ts';
import { type ApplicationEnd, openApplicationEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { writeFrame } from '../../../../src/ring/frames/frame.ts';
import { producerCloseFrame } from '../../../../src/ring/frames/producer-call-frames.ts';
import { topicFrame } from '../../../../src/ring/frames/record-frames.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { ProducerCountersReader, ProducerCountersWriter } from '../../../../src/state/producer-counters.ts';
import { ProducerAdapter } from '../../../../src/worker/link/producer-adapter.ts';
import { ProducerProxy } from '../../../../src/worker/link/producer-proxy.ts';
import { TestProducer } from '../producer/support/test-producer.ts';
import { postRecord } from '../support/role-links.ts';

const ends: { close(): void }[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end.close();
});

/** A producer behind a link. Its application has named a topic. */
class LinkedProducer {
  readonly producer = TestProducer.started({ enableIdempotence: false, lingerMs: 1000 });
  readonly counters: ProducerCountersReader;
  readonly application: ApplicationEnd;
  readonly adapter: ProducerAdapter;

  constructor() {
    const config = parseProducerConfig({}, () => {});
    const { application, network } = createProducerMemory(config, createDoorbell(), createCounters());
    this.application = openApplicationEnd(application.link);
    const networkEnd = openNetworkEnd(network.link);
    ends.push(this.application, networkEnd, application.lifePort, network.lifePort);
    this.counters = new ProducerCountersReader(application.counters);
    const proxy = new ProducerProxy(networkEnd, new ProducerCountersWriter(network.counters));
    const { role, cluster } = this.producer;
    this.adapter = new ProducerAdapter(networkEnd, proxy, role, () => role.close(cluster.now + 1000, () => {}));
    assert.ok(writeFrame(this.application.requests, topicFrame({ topicHandle: 0, name: 't' })));
  }

  post(records: number): void {
    for (let i = 0; i < records; i++) assert.ok(postRecord(this.application.requests));
  }

  /** One look at the link. */
  drain(): void {
    const { cluster } = this.producer;
    this.adapter.drain(cluster.now, cluster.wallClock(), 1000);
  }

  /** How many records each batch has that was sent. */
  get sentCounts(): number[] {
    return this.producer.cluster.produces.flatMap(({ batches }) => batches.map(({ count }) => count));
  }
}

test('records behind the close of their producer are refused, although a batch with room for them is open', () => {
  const linked = new LinkedProducer();
  linked.post(3);
  assert.ok(writeFrame(linked.application.requests, producerCloseFrame({ callId: 1, timeoutMs: 1000 })));
  linked.post(2);
  linked.drain();
  linked.producer.poll();
  assert.deepEqual(linked.sentCounts, [3]);
  assert.equal(linked.counters.get('failed'), 2);
  linked.producer.cluster.answer();
  assert.equal(linked.counters.get('acknowledged'), 3);
});

test('records that are there at the next look go into another batch if the first one was sent meanwhile', () => {
  const linked = new LinkedProducer();
  linked.post(3);
  linked.drain();
  linked.producer.advance(1000);
  assert.deepEqual(linked.sentCounts, [3]);
  linked.post(2);
  linked.drain();
  linked.producer.advance(1000);
  assert.deepEqual(linked.sentCounts, [3, 2]);
  linked.producer.cluster.answer();
  linked.producer.cluster.answer();
  assert.equal(linked.counters.get('acknowledged'), 5);
});

test('records that are there at the next look are refused if the producer was closed meanwhile', () => {
  const linked = new LinkedProducer();
  linked.post(3);
  linked.drain();
  linked.producer.role.close(linked.producer.cluster.now + 1000, () => {});
  linked.post(2);
  linked.drain();
  linked.producer.poll();
  assert.deepEqual(linked.sentCounts, [3]);
  assert.equal(linked.counters.get('failed'), 2);
});
