// What networks do to bytes, through a proxy: splits, stalls, cuts, resets, damage. Every accepted request is settled once, failures
// have an error of the client, and the client works after that as before.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  Fetch,
  type KafkaClient,
  KafkaClientError,
  KafkaConnectionError,
  KafkaTimeoutError,
  ListOffsets,
  Metadata,
  NodeNotReadyError,
  Produce,
  RequestTimedOutError,
} from '../../src/index.ts';
import { closedByHand, failureOf, openClient, unreadyBecause } from '../broker/support/client.ts';
import {
  byName,
  fetchedRecords,
  fetchRequest,
  listOffsetsRequest,
  produceRequest,
} from '../broker/support/requests.ts';
import { Settlements } from '../broker/support/settlements.ts';
import type { ProxyConnection } from '../helpers/fault-proxy.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type ProxiedBroker, startProxiedBroker } from './support/proxied.ts';
import { integer, oneOf, type Random, seededRandom } from './support/random.ts';

const MiB = 1024 * 1024;

describe('a network that', () => {
  let proxied: ProxiedBroker;
  /** The same for all tests: whatever it has met, it goes on. */
  let client: KafkaClient;

  before(async () => {
    proxied = await startProxiedBroker({
      topics: { logs: 1, large: 1, scratch: 1 },
      messageMaxBytes: 64 * MiB,
    });
    await proxied.broker.append('logs', 0, [{ value: 'first', headers: { a: 'b' } }]);
    await proxied.broker.append('large', 0, [{ value: Buffer.alloc(3 * MiB, 5) }]);
    client = await openClient(closedByHand, {
      bootstrapServers: proxied.bootstrapServers,
      reconnectBackoffMs: 1,
      reconnectBackoffMaxMs: 20,
      retryBackoffMs: 10,
      maxInFlightRequestsPerConnection: 100,
      // Damaged metadata may name an address that nobody has.
      connectionSetupTimeoutMs: 2000,
      connectionSetupTimeoutMaxMs: 2000,
    });
    await client.awaitReady(0);
  });

  afterEach(async () => {
    proxied.onConnection(null);
    await proxied.broker.clearRules();
    await assertWorks();
  });

  after(async () => {
    await client.close();
    await proxied.close();
  });

  /** Connects anew, so that the proxy can prepare the connection. */
  async function reconnect(prepare: (connection: ProxyConnection) => void): Promise<void> {
    proxied.onConnection(prepare);
    client.close(0);
    await client.awaitReady(0);
  }

  /** The open connection to node 0. */
  function connection(): ProxyConnection {
    return proxied.proxies[0]!.openConnections.at(-1)!;
  }

  /** A new connection, whatever became of the old one, which a silent proxy may never see closed. */
  async function replaced(before: number): Promise<void> {
    await waitFor('another connection', () => proxied.proxies[0]!.connections.length > before);
  }

  /** Node 0 is known and ready: damaged metadata may have said something else. */
  async function recover(): Promise<void> {
    await waitFor('node 0 to be ready', async () => {
      try {
        await client.awaitReady(0, { timeoutMs: 2000 });
        if (client.isReady(0)) return true;
        // A damaged answer may have asked for a pause of weeks.
        client.close(0);
      } catch (error) {
        assert.ok(error instanceof KafkaClientError && error.retriable, String(error));
      }
      await Promise.allSettled([client.refreshMetadata()]);
      return false;
    });
  }

  async function assertWorks(): Promise<void> {
    await recover();
    // What a recovery opened beside it goes by itself, and the next test means the connection to node 0.
    await waitFor('the bootstrap connection to go', () => !client.connected(-1));
    const response = await client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), byName);
    assert.equal(fetchedRecords(response).at(0).value!.toString(), 'first');
  }

  for (const [name, toBroker, toClient] of [
    ['requests byte by byte', 1, Number.POSITIVE_INFINITY],
    ['answers byte by byte', Number.POSITIVE_INFINITY, 1],
    ['both in pieces of 3 bytes', 3, 3],
    ['both in pieces of 1447 bytes', 1447, 1447],
  ] as const) {
    test(`passes on ${name} changes nothing`, { timeout: 300_000 }, async () => {
      await reconnect((made) => {
        made.toBroker.split(toBroker);
        made.toClient.split(toClient);
      });
      const settlements = new Settlements(client);
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
        const response = await client.send(0, Fetch, fetchRequest('scratch', { offset, maxBytes: 1 }), byName);
        assert.deepEqual(fetchedRecords(response).at(0).value, values[i]);
        assert.deepEqual(fetchedRecords(response).at(0).headers[0]!.value, values[i]);
      }
    });
  }

  test('passes on a large answer in odd pieces changes nothing', { timeout: 300_000 }, async () => {
    await reconnect((made) => made.toClient.split(65_537));
    const small = client.send(0, Metadata, { topics: [] });
    const responses = await Promise.all([
      client.send(0, Fetch, fetchRequest('large'), byName),
      client.send(0, Fetch, fetchRequest('large'), byName),
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
    const settlements = new Settlements(client);
    connection().toClient.stall();
    for (let i = 0; i < 20; i++) settlements.send(0, Metadata, { topics: [{ name: 'logs' }] });
    await waitFor('answers to be held', () => connection().toClient.heldBytes > 500);
    assert.equal(settlements.pending, 20);
    connection().toClient.resume();
    assert.equal((await settlements.finish()).succeeded, 20);
  });

  test('stalls in the middle of every part of an answer, one after another', async () => {
    const settlements = new Settlements(client);
    for (const more of [1, 3, 4, 7, 8, 9, 12, 30]) {
      const { toClient } = connection();
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

  test('takes no more of a large request holds it, and other requests behind it, in order', async () => {
    const settlements = new Settlements(client);
    const { toBroker } = connection();
    toBroker.stall();
    const value = randomBytes(16 * MiB);
    const order: string[] = [];
    settlements.send(0, Produce, produceRequest('scratch', [{ value }]), byName).addCallback(() => order.push('large'));
    settlements.send(0, Metadata, { topics: [] }).addCallback(() => order.push('small'));
    await waitFor('the stall', () => toBroker.heldBytes > 0);
    await client.poll(0);
    assert.deepEqual(order, []);
    toBroker.resume();
    assert.equal((await settlements.finish()).succeeded, 2);
    assert.deepEqual(order, ['large', 'small']);
  });

  test('takes no more refuses requests that want no answer once they pile up, and takes them again after', async () => {
    const { toBroker } = connection();
    toBroker.stall();
    const value = randomBytes(MiB);
    let accepted = 0;
    let refusal: unknown = null;
    // What systems and proxy hold on the way is theirs to say; far below this they hold no more.
    while (refusal === null && accepted < 200) {
      const sent = client.send(0, Produce, produceRequest('scratch', [{ value }], { acks: 0 }), byName);
      await sent.then(
        () => accepted++,
        (error) => {
          refusal = error;
        },
      );
    }
    assert.ok(refusal instanceof NodeNotReadyError, String(refusal));
    assert.ok(accepted < 100, `${accepted} MiB were taken`);
    await waitFor('the application to see it', () => !client.isReady(0));
    toBroker.resume();
    await waitFor('room', () => client.isReady(0));
    const offsets = await client.send(0, ListOffsets, listOffsetsRequest('scratch'));
    assert.equal(offsets.topics.at(0).partitions.at(0).errorCode, 0);
  });

  test('holds a half-written request until it times out: the broker never sees the rest as something else', async () => {
    const settlements = new Settlements(client);
    const before = await proxied.broker.stats();
    const connections = proxied.proxies[0]!.connections.length;
    const { toBroker } = connection();
    toBroker.stall(toBroker.forwardedBytes + 5000);
    const value = randomBytes(16 * MiB);
    const large = settlements.send(0, Produce, produceRequest('scratch', [{ value }]), { ...byName, timeoutMs: 300 });
    const behind = settlements.send(0, Metadata, { topics: [] });
    await settlements.finish();
    assert.ok(large.exception instanceof RequestTimedOutError, String(large.exception));
    assert.ok(behind.exception instanceof KafkaConnectionError, String(behind.exception));
    await replaced(connections);
    toBroker.resume();
    await client.awaitReady(0);
    const offsets = await client.send(0, ListOffsets, listOffsetsRequest('scratch'));
    assert.equal(offsets.topics.at(0).partitions.at(0).errorCode, 0);
    const stats = await proxied.broker.stats();
    assert.deepEqual(stats.refusals, before.refusals);
    assert.equal(stats.requests[Produce.key], before.requests[Produce.key]);
  });

  for (const kind of ['end', 'reset'] as const) {
    test(`${kind === 'end' ? 'closes' : 'resets'} in the middle of an answer fails what is open, after what came whole`, async () => {
      const settlements = new Settlements(client);
      const { toClient } = connection();
      // A connection that was lost before calls for metadata, whose answer is none of those counted here.
      await client.refreshMetadata();
      await client.poll(0);
      const before = toClient.forwardedBytes;
      await client.send(0, Metadata, { topics: [{ name: 'logs' }] });
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

  test('falls silent lets requests time out, and the connection is replaced', async () => {
    const settlements = new Settlements(client);
    const connections = proxied.proxies[0]!.connections.length;
    connection().toBroker.cutAfter(connection().toBroker.forwardedBytes, 'silence');
    const future = settlements.send(0, Metadata, { topics: [] }, { timeoutMs: 150 });
    await settlements.finish();
    assert.ok(future.exception instanceof RequestTimedOutError);
    await client.awaitReady(0);
    await replaced(connections);
  });

  describe('cuts', () => {
    for (const kind of ['end', 'reset'] as const) {
      test(`(${kind}) a new connection anywhere in its handshake or first requests`, { timeout: 300_000 }, async () => {
        const random = seededRandom(kind === 'end' ? 11 : 12);
        for (let round = 0; round < 25; round++) {
          const settlements = new Settlements(client);
          const toClient = round % 2 === 0;
          const offset = integer(random, 0, toClient ? 900 : 300);
          proxied.onConnection((made) => {
            (toClient ? made.toClient : made.toBroker).cutAfter(offset, kind);
            proxied.onConnection(null);
          });
          client.close(0);
          client.maybeConnect(0);
          // Sent as soon as it is ready, which it may never become on this connection.
          await client.awaitReady(0);
          sendSome(settlements, random, 10);
          const { errors } = await settlements.finish();
          for (const error of errors) assert.ok(error instanceof KafkaConnectionError, `${offset}: ${error}`);
        }
      });
    }

    for (let seed = 1; seed <= 4; seed++) {
      test(`at random under load, seed ${seed}`, { timeout: 300_000 }, async () => {
        const random = seededRandom(seed);
        const settlements = new Settlements(client);
        for (let round = 0; round < 12; round++) {
          await client.awaitReady(0);
          const made = connection();
          const stream = oneOf(random, [made.toBroker, made.toClient]);
          const kind = oneOf(random, ['end', 'reset', 'silence'] as const);
          stream.cutAfter(stream.forwardedBytes + integer(random, 0, 3000), kind);
          sendSome(settlements, random, 12, { timeoutMs: 200 });
          await waitFor('them to be settled', () => settlements.pending === 0);
        }
        const { errors } = await settlements.finish();
        for (const error of errors) {
          assert.ok(error instanceof KafkaConnectionError || error instanceof RequestTimedOutError, String(error));
        }
      });
    }
  });

  describe('damages one byte', () => {
    for (let seed = 1; seed <= 3; seed++) {
      test(`of an answer, seed ${seed}`, { timeout: 300_000 }, () => damage(seed, 'toClient'));
      test(`of a request, seed ${seed}`, { timeout: 300_000 }, () => damage(seed + 100, 'toBroker'));
    }

    /** Damages 20 bytes, one after another, each with requests around it. */
    async function damage(seed: number, direction: 'toClient' | 'toBroker'): Promise<void> {
      const random = seededRandom(seed);
      const settlements = new Settlements(client);
      for (let round = 0; round < 20; round++) {
        await recover();
        const stream = connection()[direction];
        stream.corrupt(stream.forwardedBytes + integer(random, 0, 200), 1 << integer(random, 0, 7));
        sendSome(settlements, random, 6, { timeoutMs: 200 });
        await waitFor('them to be settled', () => settlements.pending === 0);
      }
      await settlements.finish();
    }
  });

  test('is not there: nothing is sent twice, and nothing is lost that was answered', { timeout: 300_000 }, async () => {
    const topic = 'counted';
    await proxied.broker.createTopic(topic);
    const random = seededRandom(77);
    const answered = new Set<string>();
    const sent = new Set<string>();
    let n = 0;
    for (let round = 0; round < 15; round++) {
      await client.awaitReady(0);
      const { toBroker, toClient } = connection();
      const stream = oneOf(random, [toBroker, toClient]);
      stream.cutAfter(stream.forwardedBytes + integer(random, 0, 2000), oneOf(random, ['end', 'reset'] as const));
      const futures = [];
      for (let i = 0; i < 8; i++) {
        const value = `${n++}`;
        const future = client.send(0, Produce, produceRequest(topic, [{ value }]), byName);
        if (future.isDone) continue;
        sent.add(value);
        futures.push(future.addCallback(() => answered.add(value)));
      }
      await Promise.allSettled(futures);
    }
    await client.awaitReady(0);
    const response = await client.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0 }), byName);
    const stored = fetchedRecords(response).map(({ value }) => value!.toString());
    assert.equal(new Set(stored).size, stored.length, 'each at most once');
    for (const value of answered) assert.ok(stored.includes(value), `${value} was answered but is not there`);
    for (const value of stored) assert.ok(sent.has(value), `${value} was refused but is there`);
    assert.ok(answered.size < sent.size, 'the cuts did cut');
  });

  test('refuses every connection ends waits with the reason', async () => {
    await proxied.proxies[0]!.refuse();
    proxied.proxies[0]!.resetAll();
    await waitFor('the loss', () => !client.connected(0));
    assert.ok((await unreadyBecause(client, 0, /ECONNREFUSED|ECONNRESET/, 150)) instanceof KafkaTimeoutError);
    const error = await failureOf(client.send(0, Metadata, { topics: [] }));
    assert.equal((error as KafkaClientError).retriable, true);
    await proxied.proxies[0]!.listen();
  });

  /** A mixture of requests, some of which may be refused. */
  function sendSome(
    settlements: Settlements,
    random: Random,
    count: number,
    options: { timeoutMs?: number } = {},
  ): void {
    for (let i = 0; i < count; i++) {
      const kind = integer(random, 0, 4);
      if (kind === 0) settlements.send(0, Metadata, { topics: [{ name: 'logs' }] }, options);
      else if (kind === 1) settlements.send(0, ListOffsets, listOffsetsRequest('logs'), options);
      else if (kind === 2)
        settlements.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), { ...byName, ...options });
      else {
        const value = 'x'.repeat(integer(random, 0, 600));
        const acks = kind === 3 ? -1 : 0;
        settlements.send(0, Produce, produceRequest('scratch', [{ value }], { acks }), { ...byName, ...options });
      }
    }
  }
});
