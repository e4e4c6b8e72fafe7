// Responses from the codec pool when links are full or readers slow, and in random orders of events.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { NodeNotReadyError } from '../../../../src/common/errors/errors.ts';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import type { RecordBatchInput } from '../../../../src/protocol/flat/records/record-writer.ts';
import { assertRecords, fetchResponse, KiB, noise, noisyBatch, thresholdBytes } from '../support/big-messages.ts';
import type { SentRequest } from '../support/fake-application.ts';
import {
  assertDelivered,
  bigBatch,
  broker,
  fetched,
  fetchedBig,
  finish,
  net,
  responses,
  run,
  type SentFetch,
  sendFetch,
  start,
  threads,
} from '../support/pooled-fetches.ts';

afterEach(() => net.close());

test('results wait in order while the link is full, and nothing overtakes them', async () => {
  start({ responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 128 * KiB });
  net.app.isReading = false;
  const requests = await fetchedBig(4);
  const small = net.app.send(1, ListGroups, {});
  await run();
  broker.reply({ groups: [] });
  await run();
  for (let i = 0; i < 4; i++) await finish(0);
  assert.equal(threads.running.length, 0);
  assert.equal(net.app.drain(), 1, 'the budget is less than two of them');
  const refused = net.app.send(99, ListGroups, {});
  await run();
  const turns = net.turns;
  net.advance(10_000);
  assert.ok(net.turns - turns < 10, `${net.turns - turns} turns while nobody reads`);
  net.app.isReading = true;
  await run();
  assertDelivered(requests);
  const order = net.app.log.filter((entry) => entry !== `failure ${refused.requestId}`);
  assert.deepEqual(order, responses(...requests.map(({ sent }) => sent), small));
  assert.ok(refused.error instanceof NodeNotReadyError);
});

test('an application that reads one frame at a time gets every result', async () => {
  start({ responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 64 * KiB });
  net.app.isReading = false;
  const requests = await fetchedBig(5);
  for (let round = 0; net.app.open > 0; round++) {
    assert.ok(round < 50, 'the rest never comes');
    if (threads.running.length > 0) await finish(threads.running.length - 1);
    net.app.drain(1);
    await run();
  }
  assertDelivered(requests);
  assert.deepEqual(net.app.log, responses(...requests.map(({ sent }) => sent)));
});

test('another attachment gets its results while one does not read', async () => {
  start({ responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 64 * KiB });
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  const other = net.attach();
  net.app.isReading = false;
  const mine = await fetchedBig(2);
  const batch = bigBatch(9);
  const sent = sendFetch(2, other);
  await run();
  second.reply(fetchResponse([batch]));
  await run();
  await threads.finishAll();
  await run();
  assertRecords(sent.view, [batch]);
  net.app.isReading = true;
  await run();
  assertDelivered(mine);
});

/** A small frame that makes a body of more than 24 MiB: two of them fit into 64 MiB, three do not. */
function swellingBatch(seed: number): RecordBatchInput {
  const noisy = { key: 'noise', value: noise(2 * thresholdBytes, seed), timestamp: seed };
  return {
    records: [noisy, { key: 'zeros', value: Buffer.alloc(24 * 1024 * KiB), timestamp: seed }],
    compression: 'lz4',
  };
}

test('while an application does not read, only as much is decoded as its link can hold', async () => {
  start({ spillBudgetBytes: 64 * 1024 * KiB, maxInFlightRequestsPerConnection: 10 });
  net.app.isReading = false;
  const sent = [];
  for (let seed = 1; seed <= 5; seed++) sent.push(await fetched([swellingBatch(seed)]));
  await threads.finishAll();
  await run();
  await threads.finishAll();
  const decoded = threads.count;
  assert.equal(decoded, 2, 'these are in the link; a third would not fit beside them');
  assert.equal(threads.running.length, 0);
  const turns = net.turns;
  net.advance(10_000);
  assert.ok(net.turns - turns < 10, `${net.turns - turns} turns while nobody reads`);
  // Nothing but the reader's own bell tells the network thread to go on.
  net.app.drain(1);
  await run();
  assert.equal(threads.running.length, 1, 'room for one more');
  net.app.isReading = true;
  for (let round = 0; net.app.open > 0; round++) {
    assert.ok(round < 10, 'the rest never comes');
    await threads.finishAll();
    await run();
  }
  assert.equal(threads.count, 5);
  for (const [i, { view }] of sent.entries()) assertRecords(view, [swellingBatch(i + 1)]);
  assert.deepEqual(net.app.log, responses(...sent));
});

test('frames that wait for an application that detaches are dropped, and other applications get theirs', async () => {
  start({ spillBudgetBytes: 64 * 1024 * KiB, maxInFlightRequestsPerConnection: 10 });
  const other = net.attach();
  other.isReading = false;
  for (let seed = 1; seed <= 4; seed++) {
    sendFetch(1, other);
    net.run();
    broker.reply(fetchResponse([swellingBatch(seed)]));
    await run();
  }
  await threads.finishAll();
  await run();
  assert.equal(threads.running.length, 0);
  const { count } = threads;
  net.detach(other);
  await run();
  const batch = bigBatch(5);
  const sent = await fetched([batch]);
  await threads.finishAll();
  await run();
  assertRecords(sent.view, [batch]);
  assert.equal(threads.count, count + 1, 'what waited for the application that has gone was not decoded');
  assert.equal(net.metrics().total('accepted'), 5);
  assert.equal(net.metrics().total('succeeded') + net.metrics().total('failed'), 5);
});

/** The same numbers, 0 to 1, for the same seed. */
function seeded(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`each node's responses come in order and once, in any schedule (seed ${seed})`, async () => {
    start({
      responseRingBytes: 8192,
      spillBytes: 2048,
      spillBudgetBytes: 256 * KiB,
      maxInFlightRequestsPerConnection: 100,
    });
    const second = net.broker('two:9092', 2);
    void net.control.refreshMetadata(null, false);
    net.advance(200);
    net.ready(2);
    net.app.log.length = 0;
    const random = seeded(seed);
    const brokers = new Map([
      [1, broker],
      [2, second],
    ]);
    const lz4 = [bigBatch(1), bigBatch(2, 150 * KiB)];
    const plain = noisyBatch(90 * KiB, 3, 'none');
    const sent: { request: SentRequest<unknown>; batch: RecordBatchInput | null }[] = [];
    const send = (nodeId: number): void => {
      const kind = random();
      const batch = kind < 0.4 ? lz4[sent.length % 2]! : kind < 0.6 ? plain : null;
      const request = batch === null ? net.app.send(nodeId, ListGroups, {}) : sendFetch(nodeId);
      sent.push({ request, batch });
      net.run();
      brokers.get(nodeId)!.reply(batch === null ? { groups: [] } : fetchResponse([batch]));
    };
    let lost = 0;
    for (let step = 0; step < 120; step++) {
      const what = random();
      const task = Math.floor(random() * threads.running.length);
      if (what < 0.3) send(random() < 0.6 ? 1 : 2);
      else if (what < 0.55 && threads.running.length > 0) await threads.finish(task);
      else if (what < 0.58 && threads.running.length > 0) {
        lost++;
        await threads.lose(task);
      } else if (what < 0.7) net.app.isReading = !net.app.isReading;
      else if (what < 0.8) net.app.drain(1);
      await run();
    }
    net.app.isReading = true;
    for (let round = 0; net.app.open > 0; round++) {
      assert.ok(round < 500, `${net.app.open} requests that nobody settles`);
      await threads.finishAll();
      await run();
    }
    for (const nodeId of brokers.keys()) {
      const mine = sent.filter(({ request }) => request.nodeId === nodeId).map(({ request }) => request);
      const ids = new Set(mine.map(({ requestId }) => `${requestId}`));
      const arrived = net.app.log.filter((entry) => ids.has(entry.split(' ')[1]!));
      assert.deepEqual(arrived, responses(...mine));
    }
    for (const { request, batch } of sent) {
      if (request.state === 'succeeded' && batch !== null) assertRecords((request as SentFetch).view, [batch]);
    }
    assert.equal(sent.filter(({ request }) => request.state === 'failed').length, lost);
    assert.ok(threads.count > 5, `${threads.count} tasks`);
  });
}
