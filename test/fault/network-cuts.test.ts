// What random cuts and damaged bytes do, through a proxy. Every accepted request is settled once, failures have an error of the
// client, and the client works after that as before.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Fetch, KafkaConnectionError, Produce, RequestTimedOutError } from '../../src/index.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from '../broker/support/requests.ts';
import { Settlements } from '../broker/support/settlements.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { FaultyNetwork, sendSome } from './support/faulty-network.ts';
import { integer, oneOf, seededRandom } from './support/random.ts';

describe('a network that', () => {
  let network: FaultyNetwork;

  before(async () => {
    network = await FaultyNetwork.start();
  });

  afterEach(() => network.restore());

  after(() => network.close());

  describe('cuts', () => {
    for (const kind of ['end', 'reset'] as const) {
      test(`(${kind}) a new connection anywhere in its handshake or first requests`, { timeout: 300_000 }, async () => {
        const random = seededRandom(kind === 'end' ? 11 : 12);
        for (let round = 0; round < 25; round++) {
          const settlements = new Settlements(network.client);
          const toClient = round % 2 === 0;
          const offset = integer(random, 0, toClient ? 900 : 300);
          network.proxied.onConnection((made) => {
            (toClient ? made.toClient : made.toBroker).cutAfter(offset, kind);
            network.proxied.onConnection(null);
          });
          network.client.close(0);
          network.client.maybeConnect(0);
          // Sent as soon as it is ready, which it may never become on this connection.
          await network.client.awaitReady(0);
          sendSome(settlements, random, 10);
          const { errors } = await settlements.finish();
          for (const error of errors) assert.ok(error instanceof KafkaConnectionError, `${offset}: ${error}`);
        }
      });
    }

    for (let seed = 1; seed <= 4; seed++) {
      test(`at random under load, seed ${seed}`, { timeout: 300_000 }, async () => {
        const random = seededRandom(seed);
        const settlements = new Settlements(network.client);
        for (let round = 0; round < 12; round++) {
          await network.client.awaitReady(0);
          const made = network.connection();
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
      const settlements = new Settlements(network.client);
      for (let round = 0; round < 20; round++) {
        await network.recover();
        const stream = network.connection()[direction];
        stream.corrupt(stream.forwardedBytes + integer(random, 0, 200), 1 << integer(random, 0, 7));
        sendSome(settlements, random, 6, { timeoutMs: 200 });
        await waitFor('them to be settled', () => settlements.pending === 0);
      }
      await settlements.finish();
    }
  });

  test('cuts connections at random sends nothing twice and loses nothing that was answered', {
    timeout: 300_000,
  }, async () => {
    const topic = 'counted';
    await network.proxied.broker.createTopic(topic);
    const random = seededRandom(77);
    const answered = new Set<string>();
    const sent = new Set<string>();
    let n = 0;
    for (let round = 0; round < 15; round++) {
      await network.client.awaitReady(0);
      const { toBroker, toClient } = network.connection();
      const stream = oneOf(random, [toBroker, toClient]);
      stream.cutAfter(stream.forwardedBytes + integer(random, 0, 2000), oneOf(random, ['end', 'reset'] as const));
      const futures = [];
      for (let i = 0; i < 8; i++) {
        const value = `${n++}`;
        const future = network.client.send(0, Produce, produceRequest(topic, [{ value }]), byName);
        if (future.isDone) continue;
        sent.add(value);
        futures.push(future.addCallback(() => answered.add(value)));
      }
      await Promise.allSettled(futures);
    }
    await network.client.awaitReady(0);
    const response = await network.client.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0 }), byName);
    const stored = fetchedRecords(response).map(({ value }) => value!.toString());
    assert.equal(new Set(stored).size, stored.length, 'each at most once');
    for (const value of answered) assert.ok(stored.includes(value), `${value} was answered but is not there`);
    for (const value of stored) assert.ok(sent.has(value), `${value} was refused but is there`);
    assert.ok(answered.size < sent.size, 'the cuts did cut');
  });
});
