// Transactions with the embedded broker, in the protocol of transaction.version 2 and in the old one: committed records become visible
// together, aborted ones do not, offsets belong to the transaction, and a fenced producer says so.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  BufferExhaustedError,
  EndTxn,
  FindCoordinator,
  IllegalStateError,
  KafkaClient,
  OffsetFetch,
  Produce,
  type Producer,
  ProducerFencedError,
  type ProducerOptions,
  RecordTooLargeError,
  type Transaction,
  TransactionAbortableError,
  TransactionAbortedError,
  TxnOffsetCommit,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { readValues } from '../helpers/read-log.ts';
import { waitFor } from '../helpers/wait-for.ts';

function* brokenSource(): Generator<{ value: string; partition: number }> {
  yield { value: 'a', partition: 0 };
  throw new RangeError('the source is broken');
}

for (const [name, options] of [
  ['transaction.version 2', {}],
  ['the old protocol', { transactionVersion: 1 }],
] as const) {
  let broker: EmbeddedBroker;
  let client: KafkaClient;
  let count = 0;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 2, ...(options as object) });
    client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
  });

  after(async () => {
    await client?.close();
    await broker?.close();
  });

  const names = async (): Promise<{ topic: string; transactionalId: string }> => {
    count++;
    await broker.createTopic(`t${count}`, { partitions: 2 });
    return { topic: `t${count}`, transactionalId: `tx${count}` };
  };

  const producerOf = (options: ProducerOptions): Promise<Producer> =>
    client.producer({ retryBackoffMs: 20, ...options });

  /** What readers of committed records see of a partition. */
  const committed = (topic: string, partition?: number): Promise<(string | null)[]> =>
    readValues(client, topic, partition, { committedOnly: true });

  test(`${name}: a transaction becomes visible as a whole when it is committed, and one producer runs several transactions`, async () => {
    const { topic, transactionalId } = await names();
    const producer = await producerOf({ transactionalId });
    for (let round = 0; round < 3; round++) {
      const result = await producer.transaction(async (tx) => {
        tx.append(topic, null, `${round} a`, 0);
        const sent = await tx.send(topic, { value: `${round} b` }, { partition: 0 });
        assert.ok(sent.offset.toNumber() > 0);
        if (round === 0) assert.deepEqual(await committed(topic), []);
        await tx.sendAll(topic, [{ value: `${round} c`, partition: 1 }]);
        return round;
      });
      assert.equal(result, round);
    }
    assert.deepEqual(await committed(topic), ['0 a', '0 b', '1 a', '1 b', '2 a', '2 b']);
    assert.deepEqual(await committed(topic, 1), ['0 c', '1 c', '2 c']);
    await producer.close();
  });

  test(`${name}: a transaction that throws leaves nothing behind, and the next one goes on`, async () => {
    const { topic, transactionalId } = await names();
    const producer = await producerOf({ transactionalId, lingerMs: 60_000, deliveryTimeoutMs: 200_000 });
    let unsent: unknown;
    await assert.rejects(
      producer.transaction(async (tx) => {
        await tx.send(topic, { value: 'dropped' }, { lingerMs: 0, partition: 0 });
        unsent = tx.send(topic, { value: 'never sent' }, { lingerMs: 60_000, partition: 1 }).then(
          () => null,
          (error) => error,
        );
        throw new Error('changed my mind');
      }),
      /changed my mind/,
    );
    assert.ok((await unsent) instanceof TransactionAbortedError);
    await producer.transaction((tx) => void tx.append(topic, null, 'kept', 0));
    assert.deepEqual(await committed(topic), ['kept']);
    assert.deepEqual(await committed(topic, 1), []);
    await producer.close();
  });

  test(`${name}: offsets are committed with the records`, async () => {
    const { topic, transactionalId } = await names();
    const producer = await producerOf({ transactionalId });
    await producer.transaction(async (tx) => {
      tx.append(topic, null, 'a', 0);
      const group = { groupId: `g-${transactionalId}` };
      tx.sendOffsets({ group, offsets: [{ topic, partition: 1, offset: 42n, metadata: 'm' }] });
    });
    await client.awaitReady(client.leastLoadedNode()!);
    const found = await client.send(
      client.leastLoadedNode()!,
      FindCoordinator,
      { key: `g-${transactionalId}`, keyType: 0 },
      { version: 3 },
    );
    await client.awaitReady(found.nodeId);
    const fetched = await client.send(
      found.nodeId,
      OffsetFetch,
      { groupId: `g-${transactionalId}`, topics: [{ name: topic, partitionIndexes: [1] }], requireStable: true },
      { version: 7 },
    );
    assert.equal(fetched.topics.at(0).partitions.at(0).committedOffset.toNumber(), 42);
    await producer.close();
  });

  test(`${name}: offsets that the group's coordinator leaves out of its answer are not taken for committed`, async () => {
    const { topic, transactionalId } = await names();
    const producer = await producerOf({ transactionalId });
    await broker.control(TxnOffsetCommit, { body: { topics: [] } }, { times: 1 });
    const group = { groupId: `g-${transactionalId}` };
    const sent = producer.transaction(async (tx) => {
      tx.append(topic, null, 'a', 0);
      tx.sendOffsets({ group, offsets: [{ topic, partition: 1, offset: 42n }] });
    });
    await assert.rejects(sent, (error: Error) => {
      assert.match(`${error.message} ${error.cause}`, /TxnOffsetCommit does not have partition 1 of topic/);
      return true;
    });
    await producer.transaction((tx) => void tx.append(topic, null, 'later', 0));
    assert.deepEqual(await committed(topic), ['later']);
    await producer.close();
  });

  for (const api of name === 'the old protocol' ? [AddPartitionsToTxn, AddOffsetsToTxn] : [TxnOffsetCommit]) {
    test(`${name}: an abort while ${api.name} has no answer ends the transaction at its coordinator, and the next one commits`, async () => {
      const { topic, transactionalId } = await names();
      const producer = await producerOf({ transactionalId });
      const rule = await broker.dropConnection(api, 'after', 1000);
      const tx = await producer.begin();
      if (api === AddPartitionsToTxn) tx.append(topic, null, 'dropped', 0);
      else
        tx.sendOffsets([{ topic, partition: 1, offset: 42n }], { groupId: `g-${transactionalId}` }).addErrback(
          () => {},
        );
      await waitFor(`an answer to ${api.name} that is lost`, async () => (await rule.uses()) > 0);
      await tx.abort();
      await rule.remove();
      // A transaction that is still open is aborted now, and its producer fenced.
      await broker.advanceTime(producer.config.transactionTimeoutMs);
      await producer.transaction((next) => void next.append(topic, null, 'kept', 0));
      assert.deepEqual(await committed(topic), ['kept']);
      await producer.close();
    });
  }

  test(`${name}: a second producer of the same id fences the first, which then fails every call`, async () => {
    const { topic, transactionalId } = await names();
    const first = await producerOf({ transactionalId });
    const tx = await first.begin();
    await tx.send(topic, { value: 'lost' }, { partition: 0 });
    const fatal: Error[] = [];
    first.on('fatal', (error) => fatal.push(error));
    const second = await producerOf({ transactionalId });
    await second.transaction((own) => void own.append(topic, null, 'won', 0));
    await assert.rejects(tx.commit(), (error: ProducerFencedError) => {
      assert.ok(error instanceof ProducerFencedError, `${error}`);
      assert.equal(error.fatal, true);
      return true;
    });
    await assert.rejects(async () => first.begin(), ProducerFencedError);
    assert.equal(fatal.length, 1);
    assert.deepEqual(await committed(topic), ['won']);
    await first.close();
    await second.close();
  });

  test(`${name}: a record that fails makes the commit fail, and the next transaction works after the abort`, async () => {
    const { topic, transactionalId } = await names();
    const producer = await producerOf({ transactionalId });
    await broker.fail(Produce, 87);
    await assert.rejects(
      producer.transaction((tx) => void tx.append(topic, null, 'bad', 0)),
      (error: Error & { errorCode?: number }) => error.errorCode === 120 || error.errorCode === 87,
    );
    await producer.transaction((tx) => void tx.append(topic, null, 'better', 0));
    assert.deepEqual(await committed(topic), ['better']);
    await producer.close();
  });

  for (const [what, give, cause] of [
    [
      'is too large',
      (tx: Transaction, topic: string) => void tx.send(topic, { value: 'x'.repeat(2_000_000) }, { partition: 0 }),
      RecordTooLargeError,
    ],
    [
      'finds no room',
      (tx: Transaction, topic: string) => {
        for (let i = 0; i < 100; i++) tx.send(topic, { value: 'x'.repeat(2000) }, { partition: 0 });
      },
      BufferExhaustedError,
    ],
    [
      'of sendAll is too large',
      (tx: Transaction, topic: string) => void tx.sendAll(topic, [{ value: 'y' }, { value: 'x'.repeat(2_000_000) }]),
      RecordTooLargeError,
    ],
    [
      'cannot be had, because the source of sendAll throws,',
      (tx: Transaction, topic: string) => void tx.sendAll(topic, brokenSource()),
      RangeError,
    ],
  ] as const) {
    test(`${name}: a record that ${what} makes the commit fail, although nobody awaits it`, async () => {
      const { topic, transactionalId } = await names();
      const producer = await producerOf({ transactionalId, bufferMemoryBytes: 64 * 1024 });
      await assert.rejects(
        producer.transaction((tx) => {
          tx.append(topic, null, 'with it', 0);
          give(tx, topic);
        }),
        (error: Error) => {
          assert.ok(error instanceof TransactionAbortableError, String(error));
          assert.ok(error.cause instanceof cause, String(error.cause));
          return true;
        },
      );
      await producer.transaction((tx) => void tx.append(topic, null, 'later', 0));
      assert.deepEqual(await committed(topic), ['later']);
      await producer.close();
    });
  }

  test(`${name}: a record that its sender has given up does not make the commit fail`, async () => {
    const { topic, transactionalId } = await names();
    const producer = await producerOf({ transactionalId });
    await producer.transaction((tx) => {
      tx.append(topic, null, 'kept', 0);
      tx.send(topic, { value: 'given up', partition: 0 }, { signal: AbortSignal.abort() });
    });
    assert.deepEqual(await committed(topic), ['kept']);
    await producer.close();
  });

  test(`${name}: misuse is refused, and changes nothing`, async () => {
    const { topic, transactionalId } = await names();
    const plain = await client.producer();
    await assert.rejects(async () => plain.begin(), /has no transactionalId/);
    await plain.close();
    const producer = await producerOf({ transactionalId });
    await assert.rejects(async () => producer.send(topic, { value: 'v' }), /begin one first/);
    const tx = await producer.begin();
    const waiting = producer.begin();
    tx.append(topic, null, 'v', 0);
    assert.throws(
      () => tx.sendOffsets([{ topic, partition: 0, offset: -1 }], { groupId: 'g' }),
      /offset must be a whole number/,
    );
    assert.throws(() => tx.sendOffsets([], {} as never), /needs the group/);
    assert.throws(() => tx.sendOffsets({ offsets: [] } as never), /needs the group/);
    for (const wrong of [null, undefined, 'batch', { group: { groupId: 'g' } }])
      assert.throws(() => tx.sendOffsets(wrong as never), /sendOffsets takes a batch/);
    await tx.commit();
    await assert.rejects(tx.abort(), IllegalStateError);
    assert.throws(() => tx.append(topic, null, 'v'), IllegalStateError);
    const next = await waiting;
    await next.abort();
    assert.deepEqual(await committed(topic), ['v']);
    await producer.close();
  });

  test(`${name}: the requests are those of the protocol`, async () => {
    const { topic, transactionalId } = await names();
    const producer = await producerOf({ transactionalId });
    await producer.transaction((tx) => void tx.append(topic, null, 'v', 0));
    await producer.close();
    const arrived = (await broker.arrivedRequests()).slice(-40);
    const versionsOf = (key: number): number[] =>
      arrived.filter(({ apiKey }) => apiKey === key).map(({ version }) => version);
    const isOld = name === 'the old protocol';
    assert.equal(versionsOf(AddPartitionsToTxn.key).length > 0, isOld);
    assert.ok(versionsOf(EndTxn.key).every((version) => (isOld ? version <= 4 : version >= 5)));
    assert.ok(versionsOf(Produce.key).every((version) => (isOld ? version <= 11 : version >= 12)));
  });
}
