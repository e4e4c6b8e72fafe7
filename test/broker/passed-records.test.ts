// Records that cursors have passed: their memory goes back by itself, what else the response holds stays, and nothing that was handed out
// is ever overwritten.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  committedRanges,
  Fetch,
  type FetchRequest,
  type FetchResponseView,
  KafkaClient,
  type RecordsView,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { closedByHand, openConnected } from './support/client.ts';
import { byName, fetchRequest } from './support/requests.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const records = 8;
const recordsInBatch = 4;
/** So large that a response of one batch is moved to this thread, not copied. */
const valueBytes = 75_000;
const batchBytes = valueBytes * recordsInBatch;
/** One batch fits, two do not. */
const partitionMaxBytes = batchBytes + 10_000;

let broker: EmbeddedBroker;
let client: KafkaClient;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { t: 2, other: 1, small: 1 } });
  for (const [topic, partition] of [
    ['t', 0],
    ['t', 1],
    ['other', 0],
  ] as const) {
    for (let i = 0; i < records; i++) {
      const record = { value: Buffer.alloc(valueBytes, i) };
      await broker.append(
        topic,
        partition,
        Array.from({ length: recordsInBatch }, () => record),
      );
    }
  }
  await broker.append('small', 0, [{ value: Buffer.from('small') }]);
  client = await openConnected(closedByHand, broker);
});

after(async () => {
  await client.close();
  await broker.close();
});

const fetchBatch = (batch: number, from = client): PromiseLike<FetchResponseView> =>
  from.send(
    0,
    Fetch,
    fetchRequest('t', { maxWaitMs: 0, offset: batch * recordsInBatch, maxBytes: batchBytes }),
    byName,
  );

const recordsOf = (response: FetchResponseView, topic = 0, partition = 0): RecordsView =>
  response.responses.at(topic).partitions.at(partition).records;

const isAll = (bytes: Uint8Array, byte: number): boolean => bytes.length > 0 && bytes.every((one) => one === byte);

/** Passes all records, and returns the bytes that the cursor had. */
function pass(read: RecordsView, byte: number): Uint8Array {
  const cursor = read.cursor();
  const { bytes } = cursor;
  let count = 0;
  for (; cursor.next(); count++) {
    assert.equal(cursor.valueLength, valueBytes);
    for (let at = cursor.valueOffset; at < cursor.valueOffset + valueBytes; at += 997)
      if (bytes[at] !== byte) assert.fail(`byte ${at} is ${bytes[at]}, not ${byte}`);
  }
  assert.equal(count, recordsInBatch);
  return bytes;
}

/** Lets the client take other responses. */
async function takeOthers(from = client): Promise<void> {
  await from.send(0, Fetch, fetchRequest('small', { maxWaitMs: 0 }), byName);
  await nextTurn();
  await from.send(0, Fetch, fetchRequest('small', { maxWaitMs: 0 }), byName);
}

const gone = { name: 'IllegalStateError', message: /read by a cursor to their end.*keep\(\)/ };

describe('records that a cursor has passed', () => {
  it('can be read again in the same turn, and their memory goes back when further responses were taken', async () => {
    const response = await fetchBatch(2);
    const read = recordsOf(response);
    const bytes = pass(read, 2);
    assert.equal(pass(read, 2), bytes);
    assert.ok(bytes.length > batchBytes);
    await takeOthers();
    assert.equal(bytes.length, 0, 'its memory is gone');
  });

  it('throw when they are read after that, whatever reads them', async () => {
    const response = await fetchBatch(1);
    const read = recordsOf(response);
    const cursor = read.cursor();
    while (cursor.next());
    await takeOthers();
    assert.throws(() => cursor.offset, gone);
    assert.throws(() => cursor.value, gone);
    assert.throws(() => cursor.bytes[0], gone);
    assert.throws(() => read.cursor(), gone);
    assert.throws(() => recordsOf(response).cursorOver({ first: 0, count: 1 }), gone);
    assert.throws(() => read.at(0).offset, gone);
    assert.throws(() => read.at(0).value, gone);
    assert.throws(() => [...read].map(({ key }) => key), gone);
    assert.throws(() => response.toObject(), gone);
    assert.match(inspect(response), /^FetchResponseView \(these records were read by a cursor/);
    assert.match(inspect(read), /^RecordsView \(these records were read by a cursor/);
    client.recycle(response);
    assert.equal(response.throttleTimeMs, 0);
  });

  it('leave all other fields of the response as they were', async () => {
    const response = await fetchBatch(3);
    const read = recordsOf(response);
    const partition = response.responses.at(0).partitions.at(0);
    const fields = (): unknown => [
      response.throttleTimeMs,
      response.errorCode,
      response.responses.length,
      response.responses.at(0).topic,
      response.responses.at(0).topicId,
      response.unknownTaggedFields,
      partition.partitionIndex,
      `${partition.highWatermark}`,
      partition.abortedTransactions?.toObject(),
      read.length,
      read.error,
      read.raw,
      read.tailBytes,
      `${read.nextOffset}`,
      read.batches.toObject(),
    ];
    const before = fields();
    const bytes = pass(read, 3);
    await takeOthers();
    assert.equal(bytes.length, 0);
    assert.deepEqual(fields(), before);
    assert.equal(response.responses.at(0).topic, 't');
    assert.equal(`${read.nextOffset}`, '16');
  });

  it('go back as well when a range of all records was read, as for committed records', async () => {
    const { records: read, abortedTransactions } = (await fetchBatch(0)).responses.at(0).partitions.at(0);
    let bytes = new Uint8Array(0);
    for (const range of committedRanges(read, abortedTransactions)) {
      const cursor = read.cursorOver(range);
      bytes = cursor.bytes as Uint8Array<ArrayBuffer>;
      assert.equal(bytes.length > batchBytes, true);
      while (cursor.next());
    }
    await takeOthers();
    assert.equal(bytes.length, 0);
  });

  it('of several topics and partitions go back when all have been passed, not before', async () => {
    const partitions = [0, 1].map((partition) => ({ partition, fetchOffset: 4, partitionMaxBytes }));
    const topics = [
      { topic: 't', partitions },
      { topic: 'other', partitions: [{ partition: 0, fetchOffset: 8, partitionMaxBytes }] },
    ];
    const request: FetchRequest = { maxWaitMs: 0, minBytes: 1, topics };
    const response = await client.send(0, Fetch, request, byName);
    const names = (): string[] =>
      response.responses
        .toArray()
        .flatMap(({ topic, partitions }) =>
          partitions.map(
            ({ partitionIndex, records: { length, nextOffset } }) =>
              `${topic}-${partitionIndex}: ${length} to ${nextOffset}`,
          ),
        );
    const before = names();
    assert.deepEqual(before, ['t-0: 4 to 8', 't-1: 4 to 8', 'other-0: 4 to 12']);
    const bytes = pass(recordsOf(response, 0, 1), 1);
    pass(recordsOf(response, 1, 0), 2);
    await takeOthers();
    pass(recordsOf(response, 0, 0), 1);
    await takeOthers();
    assert.equal(bytes.length, 0);
    assert.deepEqual(names(), before);
    assert.throws(() => recordsOf(response, 1, 0).at(0).value, gone);
  });
});

describe('memory stays', () => {
  async function stays(use: (read: RecordsView, response: FetchResponseView) => unknown): Promise<void> {
    const response = await fetchBatch(5);
    const read = recordsOf(response);
    const kept = use(read, response);
    const bytes = pass(read, 5);
    await takeOthers();
    for (let i = 0; i < 4; i++) await fetchBatch(i);
    assert.ok(isAll(recordsOf(response).at(0).value!, 5), `${typeof kept} was handed out`);
    assert.ok(bytes.length > batchBytes);
  }

  it('when a record view or a Buffer was handed out, or keep() was called', async () => {
    await stays((read) => read.at(0));
    await stays((read) => [...read]);
    await stays((read) => read.toArray());
    await stays((read) => read.keep());
    await stays((read) => read.cursor().bytes.subarray(0, 1));
    await stays((read) => read.cursor().bytes.buffer);
    await stays((read) => {
      const cursor = read.cursor();
      cursor.next();
      return cursor.value;
    });
  });

  it('when a cursor has not passed the last record', async () => {
    const unfinished: unknown[] = [];
    await stays((read) => {
      const cursor = read.cursor();
      cursor.next();
      return unfinished.push(cursor);
    });
    await stays((read) => unfinished.push(read.cursorOver({ first: 1, count: 1 })));
  });

  it('when cursors have passed only some of the records', async () => {
    const response = await fetchBatch(6);
    const read = recordsOf(response);
    const cursor = read.cursorOver({ first: 1, count: recordsInBatch - 1 });
    while (cursor.next());
    await takeOthers();
    pass(read, 6);
  });

  it('while somebody iterates over the responses of the client', async () => {
    const responses = client.responses();
    const first = responses.next();
    pass(recordsOf(await fetchBatch(4)), 4);
    const { value } = await first;
    await takeOthers();
    pass(recordsOf(value as FetchResponseView), 4);
    await responses.return();
  });

  it('of small responses, which share it', async () => {
    const response = await client.send(0, Fetch, fetchRequest('small', { maxWaitMs: 0 }), byName);
    const read = recordsOf(response);
    for (const cursor = read.cursor(); cursor.next(); );
    await takeOthers();
    assert.equal(`${read.at(0).value}`, 'small');
  });
});

describe('what was handed out', () => {
  it('is never overwritten while memory comes back and is used again, with the collector at work', async () => {
    const kept: { readonly byte: number; readonly values: readonly Buffer[] }[] = [];
    for (let round = 0; round < 120; round++) {
      const byte = round % records;
      const read = recordsOf(await fetchBatch(byte));
      if (round % 3 === 0) kept.push({ byte, values: read.map(({ value }) => value!) });
      else pass(read, byte);
      if (round % 20 === 19) collect();
      if (kept.length > 12) kept.splice(0, 6);
      for (const { byte, values } of kept)
        assert.ok(values.every((value) => value[0] === byte && value[valueBytes - 1] === byte));
    }
    for (const { byte, values } of kept) assert.ok(values.every((value) => isAll(value, byte)));
  });

  it('is not overwritten either when two clients of one network thread read', async () => {
    const beside = await KafkaClient.attach(client.share());
    try {
      await beside.awaitReady(0);
      const kept = recordsOf(await fetchBatch(7, beside)).map(({ value }) => value!);
      const reads = async (from: KafkaClient): Promise<void> => {
        for (let round = 0; round < 30; round++)
          pass(recordsOf(await fetchBatch(round % records, from)), round % records);
      };
      await Promise.all([reads(client), reads(beside)]);
      assert.ok(kept.every((value) => isAll(value, 7)));
    } finally {
      await beside.close();
    }
  });

  it('can be read after the client was closed, and so can what cursors have passed at the end', async () => {
    const other = await openConnected(closedByHand, broker);
    const kept = recordsOf(await fetchBatch(1, other));
    const record = kept.at(0);
    const passed = recordsOf(await fetchBatch(2, other));
    pass(passed, 2);
    await other.close();
    assert.ok(isAll(record.value!, 1));
    await nextTurn();
    pass(passed, 2);
  });
});

describe('a loop that reads by cursor', () => {
  afterEach(() => collect());

  it('uses the same memory again, without recycle', async () => {
    const other = await openConnected(closedByHand, broker);
    const buffersBefore = process.memoryUsage().arrayBuffers;
    for (let round = 0; round < 60; round++) pass(recordsOf(await fetchBatch(round % records, other)), round % records);
    const grown = process.memoryUsage().arrayBuffers - buffersBefore;
    // 60 responses have 18 MB.
    assert.ok(grown < 20 * batchBytes, `${grown} bytes of buffers after 60 responses of ${batchBytes}`);
    const { parts } = await other.memory();
    assert.ok(parts.kept.usedBytes > 0 && parts.kept.usedBytes <= parts.kept.maxBytes);
    await other.close();
  });

  it('gives memory back in callbacks and in pollSync, too', async () => {
    const passed: Uint8Array[] = [];
    const readNext = async (round: number): Promise<void> => {
      const future = client.send(
        0,
        Fetch,
        fetchRequest('t', { maxWaitMs: 0, offset: round * 4, maxBytes: batchBytes }),
        byName,
      );
      future.addCallback((response) => passed.push(pass(recordsOf(response), round)));
      if (round % 2 === 0) client.pollSync(60_000, future);
      else await future;
    };
    for (let round = 0; round < records; round++) await readNext(round);
    await takeOthers();
    assert.deepEqual(
      passed.map(({ length }) => length),
      new Array(records).fill(0),
    );
  });
});
