// Consumers as members of groups, of both protocols, against the embedded broker.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Consumer, type ConsumerBatch, type ConsumerOptions } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';

let broker: EmbeddedBroker;
const consumers: Consumer[] = [];

async function start(options: ConsumerOptions): Promise<Consumer> {
  const consumer = await Consumer.start({
    ...patient,
    bootstrapServers: broker.bootstrapServers,
    groupId: 'g',
    topics: ['t'],
    autoOffsetReset: 'earliest',
    ...options,
  });
  consumers.push(consumer);
  return consumer;
}

async function fill(topic: string, partition: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, i) => ({ value: `${partition}:${i}` }));
  await broker.append(topic, partition, records);
}

const valuesOf = (batch: ConsumerBatch): string[] => [...batch].map(({ value }) => String(value));

/** Everything that comes until there are `count`. */
async function read(consumer: Consumer, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) {
    const batch = await consumer.poll(120_000);
    assert.notEqual(batch, null, `${values.length} of ${count} records came`);
    values.push(...valuesOf(batch!));
    assert.equal(batch!.done(), 'ok');
  }
  return values;
}

const sorted = (values: readonly string[]): string[] => [...values].sort();
const all = (partitions: number, count: number): string[] =>
  sorted(Array.from({ length: partitions * count }, (_, i) => `${Math.floor(i / count)}:${i % count}`));

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close({ timeoutMs: 2000 });
  await broker.close();
});

for (const groupProtocol of ['consumer', 'classic'] as const) {
  describe(`a member of a group, protocol ${groupProtocol}`, () => {
    it('gets partitions, and after a restart goes on at its committed position', async () => {
      broker = await startEmbeddedBroker({ topics: { t: 3 } });
      for (const partition of [0, 1, 2]) await fill('t', partition, 20);
      const first = await start({ groupProtocol });
      assert.deepEqual(sorted(await read(first, 60)), all(3, 20));
      assert.equal(first.group.protocol, groupProtocol);
      assert.equal(first.group.state, 'STABLE');
      await first.close();
      await broker.append('t', 1, [{ value: 'later' }]);
      const second = await start({ groupProtocol });
      assert.deepEqual(await read(second, 1), ['later']);
    });

    it('shares partitions with another member, and no record is read twice', async () => {
      broker = await startEmbeddedBroker({ topics: { t: 4 } });
      const one = await start({ groupProtocol, heartbeatIntervalMs: groupProtocol === 'classic' ? 100 : null });
      assert.equal(await one.poll(0), null);
      await waitFor('the first has all', () => one.assignment.length === 4);
      for (const partition of [0, 1, 2, 3]) await fill('t', partition, 10);
      const before = await read(one, 40);
      const two = await start({ groupProtocol });
      await waitFor('each has two', () => one.assignment.length === 2 && two.assignment.length === 2);
      for (const partition of [0, 1, 2, 3]) await fill('t', partition, 10);
      const [a, b] = await Promise.all([read(one, 20), read(two, 20)]);
      assert.deepEqual(sorted(before), all(4, 10));
      assert.deepEqual(sorted([...a, ...b]), all(4, 10));
    });

    for (const whenRevoked of ['wait', 'drop'] as const) {
      it(`holds a batch when its partition is revoked, with whenRevoked ${whenRevoked}`, async () => {
        broker = await startEmbeddedBroker({ topics: { t: 2 } });
        for (const partition of [0, 1]) await fill('t', partition, 5);
        const one = await start({
          groupProtocol,
          whenRevoked,
          heartbeatIntervalMs: groupProtocol === 'classic' ? 100 : null,
        });
        const held = [await one.poll(120_000), await one.poll(120_000)].map((batch) => batch!);
        assert.deepEqual(held.map(({ partition }) => partition).sort(), [0, 1]);
        const two = await start({ groupProtocol });
        const reading = read(two, whenRevoked === 'drop' ? 5 : 0);
        if (whenRevoked === 'drop') {
          await waitFor('a batch to be lost', () => held.some(({ lost }) => lost));
          assert.ok(held.some((batch) => batch.done() === 'lost'));
          assert.equal(new Set(await reading).size, 5, 'what was lost comes again, elsewhere');
        } else {
          assert.deepEqual(
            held.map((batch) => batch.done()),
            ['ok', 'ok'],
          );
          await waitFor('the partition to move', () => two.assignment.length === 1 && one.assignment.length === 1);
          assert.equal(await two.poll(0), null, 'nothing comes twice');
        }
      });
    }

    it('commits only what is done', async () => {
      broker = await startEmbeddedBroker({ topics: { t: 1 } });
      await fill('t', 0, 10);
      const consumer = await start({ groupProtocol, commit: 'manual' });
      const batch = await consumer.poll(120_000);
      assert.equal(batch!.done(4), 'ok');
      const report = await consumer.commit();
      assert.deepEqual(report, { committed: [{ topic: 't', partition: 0 }], error: null });
      const [committed] = await consumer.committed([{ topic: 't', partition: 0 }]);
      assert.equal(String(committed!.offset), '4');
      await consumer.close();
      const next = await start({ groupProtocol });
      assert.deepEqual(await read(next, 6), ['0:4', '0:5', '0:6', '0:7', '0:8', '0:9']);
    });
  });
}
