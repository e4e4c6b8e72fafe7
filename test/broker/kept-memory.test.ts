// What a client keeps for reuse is told by `client.memory()`, beside what is in use.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openClient } from './support/client.ts';

const KiB = 1024;
const MiB = KiB * KiB;

test('memory of batches and of fetched records that nobody uses is told as kept, and no longer as used', async (t) => {
  const broker = await startEmbeddedBroker({ topics: { logs: 4 } });
  t.after(() => broker.close());
  const client = await openClient(t, { bootstrapServers: broker.bootstrapServers });
  const kept = async (): Promise<number> => (await client.memory()).parts.kept.usedBytes;
  const before = await kept();
  const producer = await client.producer({ batchSizeBytes: 64 * KiB, lingerMs: 1000 });
  const value = Buffer.alloc(8 * KiB, 'x');
  const sent = Array.from({ length: 400 }, (_, i) => producer.send('logs', { value }, { partition: i % 4 }));
  await producer.flush();
  await Promise.all(sent);
  const { parts } = await client.memory();
  assert.equal(parts.producers.usedBytes, 0, 'all records are settled');
  const afterWriting = parts.kept.usedBytes - before;
  assert.ok(afterWriting >= 64 * KiB, `${afterWriting} bytes kept`);
  assert.ok(parts.kept.usedBytes <= parts.kept.maxBytes);

  const assign = [0, 1, 2, 3].map((partition) => ({ topic: 'logs', partition, offset: 0 }));
  // Small batches: what was fetched waits in memory of its own.
  const consumer = await client.consumer({ assign, batchMaxBytes: 64 * KiB, fetchMaxBytes: 2 * MiB });
  for (let count = 0; count < sent.length; ) {
    const batch = (await consumer.poll(120_000))!;
    count += batch.count;
    batch.done();
  }
  await waitFor('everything to be handed out', async () => (await client.memory()).parts.consumers.usedBytes === 0);
  const keptByBoth = await kept();
  assert.ok(keptByBoth > before + afterWriting, 'the memory of fetched records is kept as well');
  await consumer.close();
  await producer.close();
  await waitFor('the memory of both to be gone', async () => (await kept()) <= keptByBoth - 64 * KiB);
});
