// Big responses without compression, which go to the codec pool if `codecPoolPlainBytes` says so: the same order, errors and ends as for
// compressed ones.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { Cancelled, CorruptRecordError, KafkaClientError } from '../../../../src/common/errors/errors.ts';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import type { DecodeTask } from '../../../../src/worker/requests/codec-work.ts';
import { assertRecords, fetchResponse, KiB, noisyBatch, thresholdBytes } from '../support/big-messages.ts';
import {
  bigBatch,
  broker,
  fetched,
  finish,
  net,
  responses,
  run,
  sendFetch,
  start,
  startWithoutPool,
  threads,
} from '../support/pooled-fetches.ts';

const option = { codecPoolPlainBytes: thresholdBytes };

afterEach(() => net.close());

function plainBatch(seed: number, bytes = 100 * KiB): RecordBatchInput {
  return noisyBatch(bytes, seed, 'none');
}

test('a plain response is decoded in the pool from that size on, and here below it', async () => {
  start(option);
  const batches = [plainBatch(1, 40 * KiB), plainBatch(2)];
  const small = await fetched([batches[0]!]);
  assert.equal(threads.count, 0);
  assertRecords(small.view, [batches[0]!]);
  const big = await fetched([batches[1]!]);
  assert.equal(threads.count, 1);
  assert.equal(big.state, 'open');
  await finish(0);
  assertRecords(big.view, [batches[1]!]);
});

test('many small partitions count together', async () => {
  start(option);
  const batches = Array.from({ length: 12 }, (_, i) => plainBatch(i + 1, 10 * KiB));
  const sent = await fetched(batches);
  assert.equal(threads.count, 1);
  await finish(0);
  assertRecords(sent.view, batches);
});

test('by default a plain response is decoded here, whatever its size', async () => {
  start();
  const batch = plainBatch(1, 2000 * KiB);
  const sent = await fetched([batch]);
  assert.equal(threads.count, 0);
  assertRecords(sent.view, [batch]);
});

test('without threads it is decoded here', async () => {
  start();
  await net.close();
  startWithoutPool(option);
  const batch = plainBatch(1);
  assertRecords((await fetched([batch])).view, [batch]);
});

test('plain, compressed and small responses of a node keep their order', async () => {
  start({ ...option, maxInFlightRequestsPerConnection: 20 });
  const batches = [plainBatch(1), bigBatch(2), plainBatch(3, 20 * KiB), plainBatch(4)];
  const [first, second, third, small, last] = [
    sendFetch(),
    sendFetch(),
    sendFetch(),
    net.app.send(1, ListGroups, {}),
    sendFetch(),
  ];
  await run();
  for (const batch of batches.slice(0, 3)) broker.reply(fetchResponse([batch]));
  broker.reply({ groups: [] });
  broker.reply(fetchResponse([batches[3]!]));
  await run();
  assert.equal(threads.running.length, 2);
  await finish(1);
  assert.deepEqual(net.app.log, []);
  await finish(0);
  assert.deepEqual(net.app.log, responses(first, second, third, small));
  await finish(0);
  for (const [i, sent] of [first, second, third, last].entries()) assertRecords(sent.view, [batches[i]!]);
});

test('a response that stays below a larger limit waits for those in the pool, and is decoded here', async () => {
  start({ codecPoolPlainBytes: 1000 * KiB });
  const batches = [bigBatch(1), plainBatch(2, 500 * KiB)];
  const sent = [sendFetch(), sendFetch()];
  await run();
  for (const batch of batches) broker.reply(fetchResponse([batch]));
  await run();
  assert.deepEqual(net.app.log, []);
  await finish(0);
  assert.equal(threads.count, 1);
  for (const [i, batch] of batches.entries()) assertRecords(sent[i]!.view, [batch]);
});

test('a damaged batch is the same error of its partition as without a pool', async () => {
  const damaged = buildBatch(plainBatch(2));
  damaged[damaged.length - 500]! ^= 1;
  const errors: CorruptRecordError[] = [];
  for (const begin of [start, startWithoutPool]) {
    if (errors.length > 0) await net.close();
    begin(option);
    const sent = sendFetch();
    await run();
    broker.reply(fetchResponse([plainBatch(1), damaged]));
    await run();
    if (begin === start) {
      assert.equal(threads.running.length, 1);
      await finish(0);
    }
    const { partitions } = sent.view.responses.at(0);
    assert.equal(partitions.at(0).records.error, null);
    const { error } = partitions.at(1).records;
    assert.ok(error instanceof CorruptRecordError);
    errors.push(error);
    assert.ok(net.app.isConnected(1));
  }
  assert.equal(errors[0]!.message, errors[1]!.message);
});

test('a pool thread that ends fails only its request', async () => {
  start(option);
  const batches = [1, 2, 3].map((seed) => plainBatch(seed));
  const sent = [await fetched([batches[0]!]), await fetched([batches[1]!]), await fetched([batches[2]!])];
  await threads.lose(1);
  await run();
  await threads.finishAll();
  await run();
  assertRecords(sent[0]!.view, [batches[0]!]);
  assert.ok(sent[1]!.error instanceof KafkaClientError);
  assertRecords(sent[2]!.view, [batches[2]!]);
  assert.ok(net.app.isConnected(1));
  assert.deepEqual(net.app.log, responses(...sent));
});

test('close cancels what the pool has not decoded', async () => {
  start(option);
  const sent = await fetched([plainBatch(1)]);
  await net.close();
  assert.ok(sent.error instanceof Cancelled);
});

test('the memory of a decoded frame serves frames to come', async () => {
  start(option);
  const sent = await fetched([plainBatch(1, 300 * KiB)]);
  const keptBytes = async (): Promise<number> => {
    const told = await net.control.memory();
    assert.ok('value' in told, JSON.stringify(told));
    return told.value.parts.kept.usedBytes;
  };
  assert.ok((await keptBytes()) < 300 * KiB);
  await finish(0);
  assertRecords(sent.view, [plainBatch(1, 300 * KiB)]);
  assert.ok((await keptBytes()) >= 300 * KiB);
});

test('a response is decoded into memory that the application has given back', async () => {
  start(option);
  const into = (): ArrayBuffer | undefined => (threads.running[0]!.task as DecodeTask).into;
  await fetched([plainBatch(1)]);
  assert.equal(into(), undefined, 'nothing was given back');
  await finish(0);
  const batch = plainBatch(2);
  const sent = sendFetch();
  await run();
  net.app.end.responses.giveBack(new ArrayBuffer(120 * KiB));
  broker.reply(fetchResponse([batch]));
  await run();
  assert.equal(into()?.byteLength, 120 * KiB);
  await finish(0);
  assertRecords(sent.view, [batch]);
});
