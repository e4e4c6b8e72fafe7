// What networks do to bytes, through a proxy: splits, stalls, ends, refusals. Every accepted request is settled once, failures
// have an error of the client, and the client works after that as before.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  Fetch,
  type KafkaClientError,
  KafkaConnectionError,
  KafkaTimeoutError,
  ListOffsets,
  Metadata,
  NodeNotReadyError,
  Produce,
  RequestTimedOutError,
} from '../../src/index.ts';
import { failureOf, unreadyBecause } from '../broker/support/client.ts';
import {
  byName,
  fetchedRecords,
  fetchRequest,
  listOffsetsRequest,
  produceRequest,
} from '../broker/support/requests.ts';
import { Settlements } from '../broker/support/settlements.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { FaultyNetwork } from './support/faulty-network.ts';

const MiB = 1024 * 1024;

describe('a network that', () => {
  let network: FaultyNetwork;

  before(async () => {
    network = await FaultyNetwork.start();
  });

  afterEach(() => network.restore());

  after(() => network.close());

  for (const [name, toBroker, toClient] of [
    ['requests byte by byte', 1, Number.POSITIVE_INFINITY],
    ['answers byte by byte', Number.POSITIVE_INFINITY, 1],
    ['both in pieces of 3 bytes', 3, 3],
    ['both in pieces of 1447 bytes', 1447, 1447],
  ] as const) {
    test(`passes on ${name} changes nothing`, { timeout: 300_000 }, async () => {
      await network.reconnect((made) => {
        made.toBroker.split(toBroker);
        made.toClient.split(toClient);
      });
      const settlements = new Settlements(network.client);
      const values = Array.from({ length: 5 }, (_, i) => randomBytes(i * 50));
      const offsets: number[] = [];
      for (const value of values) {
        settlements
          .send(0, Produce, produceRequest('scratch', [{ key: 'k', value, headers: { h: value } }]), byName)
          .addCallback((response) =>
            offsets.push(response.responses.at(0).partitionResponses.at(0).baseOffset.toNumber()),
          );
        settlements.send(0, Metadata, { topics: [{ name: 'logs' }] });
      }
      assert.equal((await settlements.finish()).succeeded, 10);
      for (const [i, offset] of offsets.entries()) {
        const response = await network.client.send(0, Fetch, fetchRequest('scratch', { offset, maxBytes: 1 }), byName);
        assert.deepEqual(fetchedRecords(response).at(0).value, values[i]);
        assert.deepEqual(fetchedRecords(response).at(0).headers[0]!.value, values[i]);
      }
    });
  }

  test('passes on a large answer in odd pieces changes nothing', { timeout: 300_000 }, async () => {
    await network.reconnect((made) => made.toClient.split(65_537));
    const small = network.client.send(0, Metadata, { topics: [] });
    const responses = await Promise.all([
      network.client.send(0, Fetch, fetchRequest('large'), byName),
      network.client.send(0, Fetch, fetchRequest('large'), byName),
    ]);
    await small;
    for (const response of responses) {
      assert.ok(
        fetchedRecords(response)
          .at(0)
          .value!.equals(Buffer.alloc(3 * MiB, 5)),
      );
    }
  });

  test('stalls and goes on loses nothing', async () => {
    const settlements = new Settlements(network.client);
    network.connection().toClient.stall();
    for (let i = 0; i < 20; i++) settlements.send(0, Metadata, { topics: [{ name: 'logs' }] });
    await waitFor('answers to be held', () => network.connection().toClient.heldBytes > 500);
    assert.equal(settlements.pending, 20);
    network.connection().toClient.resume();
    assert.equal((await settlements.finish()).succeeded, 20);
  });

  test('stalls in the middle of every part of an answer, one after another', async () => {
    const settlements = new Settlements(network.client);
    for (const more of [1, 3, 4, 7, 8, 9, 12, 30]) {
      const { toClient } = network.connection();
      const at = toClient.forwardedBytes + more;
      toClient.stall(at);
      const future = settlements.send(0, Metadata, { topics: [{ name: 'logs' }] });
      await waitFor('the stall', () => toClient.forwardedBytes === at && toClient.heldBytes > 0);
      assert.equal(future.isDone, false);
      toClient.resume();
      await future;
    }
    await settlements.finish();
  });

  test('stops reading in the middle of a large request delays it and the requests behind it, and keeps their order', async () => {
    const settlements = new Settlements(network.client);
    const { toBroker } = network.connection();
    toBroker.stall();
    const value = randomBytes(16 * MiB);
    const order: string[] = [];
    settlements.send(0, Produce, produceRequest('scratch', [{ value }]), byName).addCallback(() => order.push('large'));
    settlements.send(0, Metadata, { topics: [] }).addCallback(() => order.push('small'));
    await waitFor('the stall', () => toBroker.heldBytes > 0);
    await network.client.poll(0);
    assert.deepEqual(order, []);
    toBroker.resume();
    assert.equal((await settlements.finish()).succeeded, 2);
    assert.deepEqual(order, ['large', 'small']);
  });

  test('stops reading makes requests with acks 0 fail when too many wait, until it reads again', async () => {
    const { toBroker } = network.connection();
    toBroker.stall();
    const value = randomBytes(MiB);
    let accepted = 0;
    let refusal: unknown = null;
    // What systems and proxy hold on the way is theirs to say; far below this they hold no more.
    while (refusal === null && accepted < 200) {
      const sent = network.client.send(0, Produce, produceRequest('scratch', [{ value }], { acks: 0 }), byName);
      await sent.then(
        () => accepted++,
        (error) => {
          refusal = error;
        },
      );
    }
    assert.ok(refusal instanceof NodeNotReadyError, String(refusal));
    assert.ok(accepted < 100, `${accepted} MiB were taken`);
    await waitFor('the application to see it', () => !network.client.isReady(0));
    toBroker.resume();
    await waitFor('room', () => network.client.isReady(0));
    const offsets = await network.client.send(0, ListOffsets, listOffsetsRequest('scratch'));
    assert.equal(offsets.topics.at(0).partitions.at(0).errorCode, 0);
  });

  test('holds a half-written request until it times out does not deliver the rest as another request', async () => {
    const settlements = new Settlements(network.client);
    const before = await network.proxied.broker.stats();
    const connections = network.proxied.proxies[0]!.connections.length;
    const { toBroker } = network.connection();
    toBroker.stall(toBroker.forwardedBytes + 5000);
    const value = randomBytes(16 * MiB);
    const large = settlements.send(0, Produce, produceRequest('scratch', [{ value }]), { ...byName, timeoutMs: 300 });
    const behind = settlements.send(0, Metadata, { topics: [] });
    await settlements.finish();
    assert.ok(large.exception instanceof RequestTimedOutError, String(large.exception));
    assert.ok(behind.exception instanceof KafkaConnectionError, String(behind.exception));
    await network.replaced(connections);
    toBroker.resume();
    await network.client.awaitReady(0);
    const offsets = await network.client.send(0, ListOffsets, listOffsetsRequest('scratch'));
    assert.equal(offsets.topics.at(0).partitions.at(0).errorCode, 0);
    const stats = await network.proxied.broker.stats();
    assert.deepEqual(stats.refusals, before.refusals);
    assert.equal(stats.requests[Produce.key], before.requests[Produce.key]);
  });

  for (const kind of ['end', 'reset'] as const) {
    test(`${kind === 'end' ? 'closes' : 'resets'} in the middle of an answer fails open requests, after complete answers are delivered`, async () => {
      const settlements = new Settlements(network.client);
      const { toClient } = network.connection();
      // A connection that was lost before calls for metadata, whose answer is none of those counted here.
      await network.client.refreshMetadata();
      await network.client.poll(0);
      const before = toClient.forwardedBytes;
      await network.client.send(0, Metadata, { topics: [{ name: 'logs' }] });
      const answerBytes = toClient.forwardedBytes - before;
      toClient.cutAfter(toClient.forwardedBytes + 2 * answerBytes + 5, kind);
      const futures = Array.from({ length: 5 }, () => settlements.send(0, Metadata, { topics: [{ name: 'logs' }] }));
      const { errors } = await settlements.finish();
      // A reset may throw away what the kernel had not handed over yet.
      const whole = futures.filter(({ succeeded }) => succeeded).length;
      assert.ok(kind === 'end' ? whole === 2 : whole <= 2, `${whole} came whole`);
      for (const error of errors) {
        assert.ok(error instanceof KafkaConnectionError, String(error));
        assert.equal(error.retriable, true);
      }
    });
  }

  test('falls silent makes requests time out, and the connection is replaced', async () => {
    const settlements = new Settlements(network.client);
    const connections = network.proxied.proxies[0]!.connections.length;
    network.connection().toBroker.cutAfter(network.connection().toBroker.forwardedBytes, 'silence');
    const future = settlements.send(0, Metadata, { topics: [] }, { timeoutMs: 150 });
    await settlements.finish();
    assert.ok(future.exception instanceof RequestTimedOutError);
    await network.client.awaitReady(0);
    await network.replaced(connections);
  });

  test('refuses every connection makes awaitReady fail with the reason', async () => {
    await network.proxied.proxies[0]!.refuse();
    network.proxied.proxies[0]!.resetAll();
    await waitFor('the loss', () => !network.client.connected(0));
    assert.ok((await unreadyBecause(network.client, 0, /ECONNREFUSED|ECONNRESET/, 150)) instanceof KafkaTimeoutError);
    const error = await failureOf(network.client.send(0, Metadata, { topics: [] }));
    assert.equal((error as KafkaClientError).retriable, true);
    await network.proxied.proxies[0]!.listen();
  });
});
