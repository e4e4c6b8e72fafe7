// The memory of a consumer's batches: what only a cursor has read goes back by itself, and whatever else was handed out stays.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { Consumer, type ConsumerBatch, type ConsumerOptions, type RecordCursor } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

const batches = 12;
const recordsInBatch = 4;
/** So large that a batch is moved to this thread, not copied. */
const valueBytes = 40_000;

let broker: EmbeddedBroker;
const consumers: Consumer[] = [];

before(async () => {
  broker = await startEmbeddedBroker({ topics: { t: 1, two: 2 } });
  for (let i = 0; i < batches; i++) {
    await broker.append('t', 0, filled(i));
    await broker.append('two', i & 1, filled(i));
  }
});

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close({ timeoutMs: 2000 });
});

after(() => broker.close());

/** Each record's bytes all have the number of its batch. */
function filled(byte: number): { readonly key: Buffer; readonly value: Buffer }[] {
  const record = { key: Buffer.alloc(8, byte), value: Buffer.alloc(valueBytes, byte) };
  return Array.from({ length: recordsInBatch }, () => record);
}

async function start(options: ConsumerOptions = {}): Promise<Consumer> {
  const consumer = await Consumer.start({
    ...patient,
    bootstrapServers: broker.bootstrapServers,
    assign: [{ topic: 't', partition: 0, offset: 0 }],
    // One of the broker's batches at a time.
    batchMaxBytes: recordsInBatch * valueBytes,
    ...options,
  });
  consumers.push(consumer);
  return consumer;
}

const polled = async (consumer: Consumer): Promise<ConsumerBatch> => (await consumer.poll(120_000))!;
const isAll = (bytes: Uint8Array, byte: number): boolean => bytes.every((one) => one === byte);

/** Reads all records where they lie. */
function readInPlace(cursor: RecordCursor, byte: number): number {
  let count = 0;
  for (; cursor.next(); count++) {
    const { bytes, valueOffset, valueLength } = cursor;
    assert.equal(valueLength, valueBytes);
    for (let at = valueOffset; at < valueOffset + valueLength; at++) if (bytes[at] !== byte) assert.fail(`at ${at}`);
  }
  return count;
}

const numberOf = (batch: ConsumerBatch): number => batch.firstOffset.toNumber() / recordsInBatch;

/** A cursor whose memory went back. */
function assertOver(cursor: RecordCursor): void {
  const fault = { name: 'IllegalStateError', message: /is done and the next one was asked for/ };
  assert.throws(() => cursor.offset, fault);
  assert.throws(() => cursor.offsetLow, fault);
  assert.throws(() => cursor.timestamp, fault);
  assert.throws(() => cursor.keyLength, fault);
  assert.throws(() => cursor.valueOffset, fault);
  assert.throws(() => cursor.headerCount, fault);
  assert.throws(() => cursor.key, fault);
  assert.throws(() => cursor.value, fault);
  assert.throws(() => cursor.bytes[0], fault);
}

describe('a batch that only a cursor has read', () => {
  it('gives its memory back when the loop asks for the next one; the cursor throws then', async () => {
    const consumer = await start();
    let former: { readonly batch: ConsumerBatch; readonly cursor: RecordCursor; readonly bytes: Uint8Array } | null =
      null;
    let seen = 0;
    for await (const batch of consumer) {
      if (former !== null) {
        assert.equal(former.bytes.length, 0, 'its memory is gone');
        assertOver(former.cursor);
        assert.throws(() => former!.batch.cursor(), { name: 'IllegalStateError' });
        assert.throws(() => [...former!.batch], { name: 'IllegalStateError' });
        assert.equal(numberOf(former.batch), seen - 1, 'what is not in that memory can still be asked for');
      }
      const cursor = batch.cursor();
      former = { batch, cursor, bytes: cursor.bytes };
      assert.equal(readInPlace(cursor, seen), recordsInBatch);
      assert.equal(cursor.next(), false);
      if (++seen === batches) break;
    }
    assert.equal(seen, batches);
  });

  for (const way of ['poll', 'pollSync'] as const)
    it(`gives it back when ${way} is called after done`, async () => {
      const consumer = await start();
      const next = async (): Promise<ConsumerBatch> =>
        way === 'poll' ? polled(consumer) : consumer.pollSync(120_000)!;
      const first = await next();
      const cursor = first.cursor();
      assert.equal(readInPlace(cursor, 0), recordsInBatch);
      const second = await next();
      assert.equal(readInPlace(first.cursor(), 0), recordsInBatch, 'it is not done yet');
      first.done();
      assert.equal(readInPlace(first.cursor(), 0), recordsInBatch, 'nothing was asked for yet');
      await next();
      assertOver(cursor);
      assert.equal(readInPlace(second.cursor(), 1), recordsInBatch);
    });

  it('can be marked as done before it is read', async () => {
    const consumer = await start();
    let seen = 0;
    for await (const batch of consumer) {
      assert.equal(batch.done(), 'ok');
      assert.equal(readInPlace(batch.cursor(), seen), recordsInBatch);
      if (++seen === batches) break;
    }
    assert.equal(seen, batches);
  });

  it('stays readable when it is lost', async () => {
    const consumer = await start();
    const batch = await polled(consumer);
    const cursor = batch.cursor();
    await consumer.seek({ topic: 't', partition: 0 }, 0);
    assert.ok(batch.lost);
    assert.equal(batch.done(), 'lost');
    const again = await polled(consumer);
    again.done();
    await polled(consumer);
    assert.equal(readInPlace(cursor, 0), recordsInBatch);
  });

  it('stays readable for a handler of run until the handler has returned, also when it is done before', async () => {
    const consumer = await start({ assign: [0, 1].map((partition) => ({ topic: 'two', partition, offset: 0 })) });
    const stop = new AbortController();
    const cursors: RecordCursor[] = [];
    let begun = 0;
    let seen = 0;
    let secondBegins = (): void => {};
    const second = new Promise<void>((resolve) => {
      secondBegins = resolve;
    });
    await consumer.run(
      async (batch) => {
        const byte = 2 * numberOf(batch) + batch.partition;
        const cursor = batch.cursor();
        batch.done();
        begun++;
        if (begun === 2) secondBegins();
        // So the next batch was asked for while this handler runs.
        if (begun === 1) await second;
        assert.equal(readInPlace(cursor, byte), recordsInBatch);
        cursors.push(cursor);
        seen++;
        if (seen === batches) stop.abort();
      },
      { concurrency: 2, signal: stop.signal },
    );
    assert.equal(seen, batches);
    for (const cursor of cursors) assertOver(cursor);
  });

  it('stays readable in a stream', async () => {
    const consumer = await start();
    const former: { readonly cursor: RecordCursor; readonly byte: number }[] = [];
    for await (const chunk of consumer.readable()) {
      const batch = chunk as ConsumerBatch;
      batch.done();
      former.push({ cursor: batch.cursor(), byte: numberOf(batch) });
      if (former.length === batches) break;
    }
    for (const { cursor, byte } of former) assert.equal(readInPlace(cursor, byte), recordsInBatch);
  });
});

describe('what can be kept of a batch stays as it was when the batch is done and others come', () => {
  const rows: [name: string, keep: (batch: ConsumerBatch) => () => Uint8Array][] = [
    ['a record view', (batch) => keptView(batch.records.at(1))],
    ['a record view of an iteration', (batch) => keptView([...batch][1]!)],
    ['a deserialized record', (batch) => keptView([...batch.deserialized({})][1]!.record)],
    [
      'the records',
      ({ records }) =>
        () =>
          records.at(1).value!,
    ],
    ['a value of a cursor', (batch) => keptOf(moved(batch).value!)],
    ['a key of a cursor', (batch) => keptOf(moved(batch).key!)],
    ['a part of the bytes of a cursor', (batch) => keptOf(part(moved(batch)))],
    ['the buffer of the bytes of a cursor', (batch) => bufferOf(moved(batch))],
    [
      'a cursor of the records',
      ({ records }) =>
        () =>
          part(first(records.cursor())),
    ],
  ];
  const keptView = (record: { readonly value: Buffer | null }) => (): Uint8Array => record.value!;
  const keptOf = (bytes: Uint8Array) => (): Uint8Array => bytes;
  const first = (cursor: RecordCursor): RecordCursor => {
    assert.ok(cursor.next());
    return cursor;
  };
  const moved = (batch: ConsumerBatch): RecordCursor => first(batch.cursor());
  const part = ({ bytes, valueOffset, valueLength }: RecordCursor): Uint8Array =>
    bytes.subarray(valueOffset, valueOffset + valueLength);
  const bufferOf = ({ bytes, valueOffset, valueLength }: RecordCursor): (() => Uint8Array) => {
    const { buffer, byteOffset } = bytes;
    return () => new Uint8Array(buffer, byteOffset + valueOffset, valueLength);
  };
  for (const [name, keep] of rows)
    it(name, async () => {
      const consumer = await start();
      const kept: (() => Uint8Array)[] = [];
      for await (const batch of consumer) {
        // A cursor has read it, too.
        assert.equal(readInPlace(batch.cursor(), kept.length), recordsInBatch);
        kept.push(keep(batch));
        if (kept.length === batches) break;
      }
      for (const [byte, bytes] of kept.entries()) {
        assert.ok(bytes().length >= 8);
        assert.ok(isAll(bytes(), byte));
      }
    });
});
