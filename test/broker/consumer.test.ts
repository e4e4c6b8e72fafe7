// A consumer without a group, with the embedded broker: batches, positions, all ways to get them.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Consumer, type ConsumerBatch, type ConsumerOptions, RecordDeserializationError } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

let broker: EmbeddedBroker;
const consumers: Consumer[] = [];

async function start(options: ConsumerOptions): Promise<Consumer> {
  const consumer = await Consumer.start({ ...patient, bootstrapServers: broker.bootstrapServers, ...options });
  consumers.push(consumer);
  return consumer;
}

async function fill(topic: string, partition: number, count: number, from = 0): Promise<void> {
  for (let i = 0; i < count; i += 10) {
    const records = Array.from({ length: Math.min(10, count - i) }, (_, j) => ({
      value: `${partition}:${from + i + j}`,
    }));
    await broker.append(topic, partition, records);
  }
}

const valuesOf = (batch: ConsumerBatch): string[] => [...batch].map(({ value }) => String(value));
const fromStart = (...partitions: number[]) => partitions.map((partition) => ({ topic: 't', partition, offset: 0 }));

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close({ timeoutMs: 2000 });
  await broker.close();
});

describe('a consumer with partitions of its own', () => {
  it('reads keys and values with functions, and names the record that a function cannot read', async () => {
    broker = await startEmbeddedBroker({ topics: { t: 1 } });
    await broker.append('t', 0, [
      { key: 'a', value: '1' },
      { key: null, value: null },
      { key: 'c', value: 'x' },
    ]);
    const consumer = await start({ assign: fromStart(0) });
    const batch = (await consumer.poll(120_000))!;
    const seen: unknown[] = [];
    const number = (bytes: Buffer): number => {
      const value = Number(bytes.toString());
      if (Number.isNaN(value)) throw new Error(`${bytes.toString()} is no number`);
      return value;
    };
    assert.throws(
      () => {
        for (const { key, value } of batch.deserialized({ key: String, value: number })) seen.push([key, value]);
      },
      (error) => {
        assert.ok(error instanceof RecordDeserializationError);
        assert.match(error.message, /t-0: the value of the record at offset 2 .* x is no number/);
        assert.equal(String(error.recordOffset), '2');
        return true;
      },
    );
    assert.deepEqual(seen, [
      ['a', 1],
      [null, null],
    ]);
    const [first] = batch.deserialized({});
    assert.deepEqual([first!.key, first!.value], [Buffer.from('a'), Buffer.from('1')]);
  });

  it('reads every record once, in order, with for await', async () => {
    broker = await startEmbeddedBroker({ topics: { t: 2 } });
    await fill('t', 0, 100);
    await fill('t', 1, 100);
    const consumer = await start({ assign: fromStart(0, 1) });
    const seen: string[][] = [[], []];
    for await (const batch of consumer) {
      seen[batch.partition]!.push(...valuesOf(batch));
      if (seen[0]!.length + seen[1]!.length === 200) break;
    }
    for (const partition of [0, 1])
      assert.deepEqual(
        seen[partition],
        Array.from({ length: 100 }, (_, i) => `${partition}:${i}`),
      );
  });

  it('reads records that come later, with poll and with pollSync', async () => {
    broker = await startEmbeddedBroker({ topics: { t: 1 } });
    const consumer = await start({ assign: fromStart(0) });
    assert.equal(await consumer.poll(0), null);
    await fill('t', 0, 3);
    const first = await consumer.poll(120_000);
    assert.deepEqual(valuesOf(first!), ['0:0', '0:1', '0:2']);
    assert.equal(first!.done(), 'ok');
    await fill('t', 0, 2, 3);
    const second = consumer.pollSync(120_000);
    assert.deepEqual(valuesOf(second!), ['0:3', '0:4']);
    assert.equal(String(second!.nextOffset), '5');
  });
});
