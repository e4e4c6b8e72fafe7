// Exactly once from reading to writing: a producer's transactions commit a consumer's positions, with the embedded broker; and what
// readers of committed records see.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CommitFailedError, Consumer, type ConsumerBatch, IllegalStateError, KafkaClient } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';

const count = 40;
const valuesOf = (batch: ConsumerBatch): string[] => [...batch].map(({ value }) => String(value));

let broker: EmbeddedBroker;
let client: KafkaClient;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { source: 1, results: 1, mixed: 1 } });
  client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
  for (let i = 0; i < count; i += 5)
    await broker.append(
      'source',
      0,
      Array.from({ length: 5 }, (_, j) => ({ value: `${i + j}` })),
    );
});

after(async () => {
  await client.close();
  await broker.close();
});

for (const groupProtocol of ['consumer', 'classic'] as const) {
  describe(`reading and writing in transactions, protocol ${groupProtocol}`, () => {
    it('commits positions together with the records, each record once, even if transactions are aborted in between', async () => {
      const group = `once-${groupProtocol}`;
      const results = `results-${groupProtocol}`;
      await broker.createTopic(results, { partitions: 1 });
      const options = {
        groupId: group,
        topics: ['source'],
        autoOffsetReset: 'earliest',
        groupProtocol,
        commit: 'manual',
        batchMaxBytes: 1,
      } as const;
      const producer = await client.producer({ transactionalId: group });
      let consumer = await client.consumer(options);
      let tries = 0;
      let done = 0;
      while (done < count) {
        const batch = await consumer.poll(120_000);
        assert.notEqual(batch, null, `${done} of ${count} records were done`);
        const isAborted = tries++ % 3 === 1;
        try {
          await producer.transaction(async (tx) => {
            for (const value of valuesOf(batch!)) tx.append(results, null, value, 0);
            await tx.sendOffsets(batch!);
            if (isAborted) throw new Error('aborted');
          });
          batch!.done();
          done += batch!.count;
        } catch (error) {
          assert.equal((error as Error).message, 'aborted');
          batch!.giveBack();
        }
        if (done === count / 2) {
          // Another member goes on where transactions have got to.
          await consumer.close();
          consumer = await client.consumer(options);
        }
      }
      const [committed] = await consumer.committed([{ topic: 'source', partition: 0 }]);
      assert.equal(committed!.offset.toNumber(), count);
      await consumer.close();
      await producer.close();
      const reader = await client.consumer({
        assign: [{ topic: results, partition: 0, offset: 'earliest' }],
        isolationLevel: 'read_committed',
      });
      const seen: string[] = [];
      while (seen.length < count) seen.push(...valuesOf((await reader.poll(120_000))!));
      assert.deepEqual(
        seen,
        Array.from({ length: count }, (_, i) => String(i)),
      );
      // Markers and what was aborted lie behind the last record too: the position passes them.
      const [end] = await reader.endOffsets([{ topic: results, partition: 0 }]);
      await waitFor(
        'the position at the end',
        () => reader.position({ topic: results, partition: 0 })?.eq(end!) === true,
      );
      await reader.close();
    });

    it('does not commit the offsets of a batch that is lost', async () => {
      const consumer = await client.consumer({
        groupId: `lost-${groupProtocol}`,
        topics: ['source'],
        autoOffsetReset: 'earliest',
        groupProtocol,
      });
      const batch = (await consumer.poll(120_000))!;
      const { group, offsets } = batch.transactionOffsets();
      assert.equal(group.groupId, `lost-${groupProtocol}`);
      assert.deepEqual(group, consumer.groupMetadata());
      assert.equal(group.memberId, consumer.group.memberId);
      assert.ok(group.generationIdOrMemberEpoch! > 0);
      assert.equal(String(offsets[0]!.offset), String(batch.nextOffset));
      assert.equal(String(batch.transactionOffsets(batch.firstOffset.add(1)).offsets[0]!.offset), '1');
      await consumer.seek({ topic: 'source', partition: 0 }, 20);
      assert.throws(() => batch.transactionOffsets(), CommitFailedError);
      await consumer.close();
    });
  });
}

describe('a consumer without a group', () => {
  it('cannot commit offsets in a transaction', async () => {
    const consumer = await Consumer.start({
      ...patient,
      bootstrapServers: broker.bootstrapServers,
      assign: [{ topic: 'source', partition: 0, offset: 0 }],
    });
    assert.throws(() => consumer.groupMetadata(), IllegalStateError);
    await consumer.close();
  });
});

describe('records of transactions', () => {
  it('are handed out with read_committed only after the commit, and never after an abort', async () => {
    const place = { topic: 'mixed', partition: 0 };
    const producers = [
      await client.producer({ transactionalId: 'mixed-1', lingerMs: 0 }),
      await client.producer({ transactionalId: 'mixed-2', lingerMs: 0 }),
    ] as const;
    const plain = await client.producer({ lingerMs: 0 });
    const [one, two] = [await producers[0].begin(), await producers[1].begin()];
    await one.send('mixed', { value: 'one-1', partition: 0 });
    await two.send('mixed', { value: 'two-1', partition: 0 });
    await plain.send('mixed', { value: 'plain-1', partition: 0 });
    const committed = await client.consumer({ assign: [{ ...place, offset: 0 }], isolationLevel: 'read_committed' });
    const all = await client.consumer({ assign: [{ ...place, offset: 0 }] });
    const take = async (consumer: Consumer, until: string): Promise<string[]> => {
      const seen: string[] = [];
      while (seen.at(-1) !== until) {
        const batch = await consumer.poll(120_000);
        assert.notEqual(batch, null, `${until} comes, after ${seen}`);
        seen.push(...valuesOf(batch!));
        batch!.done();
      }
      return seen;
    };
    assert.deepEqual(await take(all, 'plain-1'), ['one-1', 'two-1', 'plain-1']);
    assert.equal((await committed.endOffsets([place]))[0]!.toNumber(), 0, 'up to the first open transaction');
    assert.equal(await committed.poll(0), null);
    await two.abort();
    await one.send('mixed', { value: 'one-2', partition: 0 });
    await one.commit();
    await plain.send('mixed', { value: 'plain-2', partition: 0 });
    assert.deepEqual(await take(committed, 'plain-2'), ['one-1', 'plain-1', 'one-2', 'plain-2']);
    const [end] = await committed.endOffsets([place]);
    await waitFor('nothing left', () => committed.lag(place) === 0 && committed.position(place)!.eq(end!));
    for (const each of [...producers, plain, committed, all]) await each.close();
  });
});
