// Positions of a consumer, with the embedded broker: seek, pause, resets, look-ups, state from shared memory, loops that end early,
// partitions that are released while the application works.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import {
  Consumer,
  type ConsumerBatch,
  type ConsumerOptions,
  KafkaConfigurationError,
  NoOffsetForPartitionError,
  PositionOutsideLogError,
  UnknownTopicOrPartitionError,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';

let broker: EmbeddedBroker;
const consumers: Consumer[] = [];
const place = { topic: 't', partition: 0 };

async function start(options: ConsumerOptions): Promise<Consumer> {
  const consumer = await Consumer.start({ ...patient, bootstrapServers: broker.bootstrapServers, ...options });
  consumers.push(consumer);
  return consumer;
}

async function filled(partitions: number, batches = 10): Promise<void> {
  broker = await startEmbeddedBroker({ topics: { t: partitions } });
  for (let partition = 0; partition < partitions; partition++)
    for (let i = 0; i < batches; i++) {
      const records = Array.from({ length: 10 }, (_, j) => ({
        value: `${partition}:${i * 10 + j}`,
        timestamp: 1000 + i,
      }));
      await broker.append('t', partition, records);
    }
}

const valuesOf = (batch: ConsumerBatch): string[] => [...batch].map(({ value }) => String(value));
const small = { batchMaxBytes: 1 } as const;

async function next(consumer: Consumer): Promise<ConsumerBatch> {
  const batch = await consumer.poll(120_000);
  assert.notEqual(batch, null, 'a batch came');
  return batch!;
}

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close({ timeoutMs: 2000 });
  await broker.close();
});

describe('the position of a consumer', () => {
  it('goes to where seek says, and the batches that were handed out before are lost', async () => {
    await filled(1);
    const consumer = await start({ assign: [{ ...place, offset: 0 }], ...small });
    const before = await next(consumer);
    assert.equal(before.lost, false);
    await consumer.seek(place, 55);
    assert.equal(before.lost, true);
    assert.equal(before.done(), 'lost');
    const batch = await next(consumer);
    assert.deepEqual(valuesOf(batch), ['0:55', '0:56', '0:57', '0:58', '0:59']);
    assert.equal(String(batch.firstOffset), '55');
    await consumer.seek(place, 'latest');
    await waitFor('the end', () => consumer.position(place)?.equals(100));
    await consumer.seek(place, { timestampMs: 1003 });
    assert.equal(valuesOf(await next(consumer))[0], '0:30');
    await consumer.seek(place, 'earliest');
    assert.equal(valuesOf(await next(consumer))[0], '0:0');
  });

  it('stays the same while a partition is paused, and other partitions go on', async () => {
    await filled(2);
    const consumer = await start({
      assign: [0, 1].map((partition) => ({ topic: 't', partition, offset: 0 })),
      ...small,
    });
    await consumer.pause([place]);
    const seen = new Set<number>();
    for (let i = 0; i < 10; i++) {
      const batch = await next(consumer);
      seen.add(batch.partition);
      batch.done();
    }
    assert.deepEqual([...seen], [1]);
    assert.equal(await consumer.poll(0), null);
    await consumer.resume([place]);
    assert.equal(valuesOf(await next(consumer))[0], '0:0');
  });

  it('can be read without a message to the network thread, with the lag', async () => {
    await filled(1);
    const consumer = await start({ assign: [{ ...place, offset: 0 }], ...small });
    const batch = await next(consumer);
    assert.equal(batch.done(), 'ok');
    await waitFor('what is done', () => consumer.lag(place) === 90);
    assert.deepEqual(consumer.assignment, [place]);
    assert.equal(consumer.group.state, 'ASSIGNED');
    assert.equal(consumer.position({ topic: 't', partition: 9 }), null);
  });

  it('can be found by time, and the first and last offsets can be asked for', async () => {
    await filled(1);
    const consumer = await start({});
    assert.equal(JSON.stringify(await consumer.beginningOffsets([place])), '[0]');
    assert.equal(JSON.stringify(await consumer.endOffsets([place])), '[100]', 'as numbers');
    const found = await consumer.offsetsForTimes([{ ...place, timestampMs: 1005 }]);
    assert.equal(JSON.stringify(found[0]), '{"topic":"t","partition":0,"offset":50,"timestampMs":1005}');
    assert.deepEqual(await consumer.offsetsForTimes([{ ...place, timestampMs: 5000 }]), [null]);
  });

  it('of a missing topic or partition fails without a long wait', async () => {
    await filled(1);
    const consumer = await start({ defaultApiTimeoutMs: 600_000 });
    for (const missing of [
      { topic: 'nowhere', partition: 0 },
      { topic: 't', partition: 9 },
    ]) {
      const about = new RegExp(`${missing.topic}-${missing.partition}`);
      await assert.rejects(Promise.resolve(consumer.endOffsets([place, missing])), (error) => {
        assert.ok(error instanceof UnknownTopicOrPartitionError);
        assert.match(error.message, about);
        return true;
      });
      const told: Error[] = [];
      consumer.on('error', (error) => told.push(error));
      await consumer.assign([missing]);
      await waitFor('the event', () => told.some(({ message }) => about.test(message)));
    }
  });

  it('begins as autoOffsetReset says, or gives an error', async () => {
    await filled(1);
    const earliest = await start({ assign: [place], autoOffsetReset: 'earliest' });
    assert.equal(valuesOf(await next(earliest))[0], '0:0');
    const byTime = await start({ assign: [place], autoOffsetReset: { timestampMs: 1009 } });
    assert.equal(valuesOf(await next(byTime))[0], '0:90');
    const none = await start({ assign: [place], autoOffsetReset: 'none' });
    await assert.rejects(none.poll(120_000), NoOffsetForPartitionError);
    await none.seek(place, 99);
    assert.deepEqual(valuesOf(await next(none)), ['0:99']);
    const outside = await start({ assign: [{ ...place, offset: 5000 }], autoOffsetReset: 'none' });
    await assert.rejects(outside.poll(120_000), (error) => {
      assert.ok(error instanceof PositionOutsideLogError);
      assert.equal(JSON.stringify(error.recordOffset), '5000');
      return true;
    });
    const reset = await start({ assign: [{ ...place, offset: 5000 }], autoOffsetReset: 'earliest' });
    assert.equal(valuesOf(await next(reset))[0], '0:0');
  });
});

describe('a batch that is not done', () => {
  it('comes again when the loop ends by break or by an error', async () => {
    await filled(1);
    const consumer = await start({ assign: [{ ...place, offset: 0 }], ...small });
    for await (const batch of consumer) {
      assert.equal(valuesOf(batch)[0], '0:0');
      batch.done(4);
      break;
    }
    await assert.rejects(async () => {
      for await (const batch of consumer) {
        assert.equal(valuesOf(batch)[0], '0:4');
        throw new Error('handler');
      }
    }, /handler/);
    const seen: string[] = [];
    for await (const batch of consumer) {
      seen.push(...valuesOf(batch));
      if (seen.length >= 96) break;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 96 }, (_, i) => `0:${i + 4}`),
    );
  });

  it('comes again when a handler of run fails, and two batches of one partition are never handed out at once', async () => {
    await filled(4);
    const consumer = await start({
      assign: [0, 1, 2, 3].map((partition) => ({ topic: 't', partition, offset: 0 })),
      ...small,
    });
    const busy = new Set<number>();
    const seen: string[] = [];
    let hasFailed = false;
    let most = 0;
    const handler = async (batch: ConsumerBatch): Promise<void> => {
      assert.ok(!busy.has(batch.partition), 'one at a time');
      busy.add(batch.partition);
      // The first one lasts until there is another beside it.
      await waitFor('some at once', () => {
        most = Math.max(most, busy.size);
        return most > 1;
      });
      await new Promise(setImmediate);
      busy.delete(batch.partition);
      if (seen.length > 100 && !hasFailed) {
        hasFailed = true;
        throw new Error('handler');
      }
      seen.push(...valuesOf(batch));
      if (seen.length === 400) stop.abort();
    };
    const stop = new AbortController();
    await assert.rejects(consumer.run(handler, { concurrency: 3, signal: stop.signal }), /handler/);
    await consumer.run(handler, { concurrency: 3, signal: stop.signal });
    assert.equal(new Set(seen).size, 400);
    assert.equal(seen.length, 400);
    for (const partition of [0, 1, 2, 3]) {
      const own = seen.filter((value) => value.startsWith(`${partition}:`));
      assert.deepEqual(
        own,
        Array.from({ length: 100 }, (_, i) => `${partition}:${i}`),
      );
    }
  });
});

describe('wrong options and calls', () => {
  it('are refused with a reason', async () => {
    broker = await startEmbeddedBroker({ topics: { t: 1 } });
    await assert.rejects(start({ topics: ['t'] }), KafkaConfigurationError);
    const consumer = await start({ assign: [{ ...place, offset: 0 }] });
    await assert.rejects(Promise.resolve(consumer.subscribe(['t'])), /groupId/);
    await assert.rejects(Promise.resolve(consumer.seek({ topic: 't', partition: 7 }, 0)), /t-7 is not assigned/);
    await assert.rejects(Promise.resolve(consumer.commit()), /groupId/);
    assert.throws(() => consumer.seek(place, -5), /offset of 0 or more/);
    await consumer.close();
    assert.equal(await consumer.poll(0), null);
    await assert.rejects(Promise.resolve(consumer.commit()), /closed/);
  });

  it('throw when done is called with an offset beyond the end of a batch', async () => {
    await filled(1);
    const consumer = await start({ assign: [{ ...place, offset: 0 }], ...small });
    const batch = await next(consumer);
    assert.throws(() => batch.done(11), /upTo must be from 0 to 10/);
    assert.throws(() => batch.done(-1), /upTo must be from 0 to 10/);
    assert.equal(batch.done(10n), 'ok');
  });
});
