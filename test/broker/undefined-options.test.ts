// Options whose value is undefined count as left out. Programs with optional settings of their own pass such options.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FindCoordinator, KafkaClient, Producer } from '../../src/index.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

test('an undefined option counts as left out in every call that takes options', async (t) => {
  const broker = await startEmbeddedBroker();
  t.after(() => broker.close());
  const client = await KafkaClient.start({
    ...patient,
    bootstrapServers: broker.bootstrapServers,
    sslPassword: undefined,
    requestTimeoutMs: undefined,
    signal: undefined,
  });
  t.after(() => client.close());
  const some = { timeoutMs: undefined, signal: undefined, lane: undefined };
  await client.awaitReady(0, some);
  assert.equal(
    (await client.send(0, FindCoordinator, { coordinatorKeys: ['g'] }, { ...some, version: undefined })).nodeId,
    0,
  );
  await client.poll(0, undefined, { signal: undefined });
  assert.ok(await client.checkVersion(0, { timeoutMs: undefined, strict: undefined }));
  const options = { timeoutMs: undefined, validateOnly: undefined, retryOnQuotaViolation: undefined };
  const created = await client
    .admin({ timeoutMs: undefined })
    .createTopics([{ name: 'lines', partitions: 1 }], options);
  created.orThrow();
  await client.awaitTopic('lines', { timeoutMs: undefined, signal: undefined });
  const producer = await client.producer({
    acks: undefined,
    lingerMs: undefined,
    partitioner: undefined,
    hooks: undefined,
  });
  const record = { key: undefined, value: 'one', partition: undefined, headers: undefined, timestamp: undefined };
  const { offset } = await producer.send('lines', record, { lingerMs: undefined });
  assert.equal(String(offset), '0');
  await using consumer = await client.consumer({
    groupId: undefined,
    assign: [{ topic: 'lines', partition: 0, offset: 'earliest' }],
    commit: undefined,
    autoOffsetReset: undefined,
    whenBlocked: undefined,
  });
  assert.equal((await consumer.poll(120_000))?.count, 1);
  const other = await Producer.start({
    ...patient,
    bootstrapServers: broker.bootstrapServers,
    compressionType: undefined,
  });
  await other.close({ timeoutMs: undefined });
});
