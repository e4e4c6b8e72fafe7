// Every call, stream and event of a consumer that other files of tests do not need: what it gives, and what it leaves alone.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import {
  type Consumer,
  type ConsumerBatch,
  Fetch,
  FindCoordinator,
  IllegalArgumentError,
  IllegalStateError,
  Metadata,
  NoBrokersAvailable,
} from '../../src/index.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { GroupBench, own, protocols, valuesOf } from './support/group-bench.ts';

const bench = new GroupBench();
const place = { topic: 't', partition: 0 };
/** One of the broker's batches at a time. */
const small = { batchMaxBytes: 1 } as const;

/** Batches with one record each: 'a', 'b', and so on. */
async function filled(values: string): Promise<void> {
  await bench.begin({ topics: { t: 1 } });
  for (const value of values) await bench.broker.append('t', 0, [{ value }]);
}

const polled = async (consumer: Consumer): Promise<ConsumerBatch> => (await consumer.poll(120_000))!;
const committedOffset = (): Promise<number | null> => bench.broker.committedOffset('g', 't', 0);

describe('Consumer.start', () => {
  it('opens the consumer while its client starts', async () => {
    await filled('a');
    // The start waits for metadata.
    await bench.broker.addRule(Metadata.key, { holdAnswerUntil: 'metadata' }, { times: 1 });
    const starting = bench.start(small);
    await waitFor('the question for the coordinator', async () =>
      (await bench.broker.arrivedRequests()).some(({ apiKey }) => apiKey === FindCoordinator.key),
    );
    assert.equal(await bench.broker.held('metadata'), 1);
    await bench.broker.release('metadata');
    assert.deepEqual(valuesOf(await polled(await starting)), ['a']);
  });

  it('fails with the error of the start, or with that of the consumer, and leaves nothing open', async () => {
    await filled('a');
    const server = { bootstrapServers: bench.broker.bootstrapServers };
    const controllers = { bootstrapServers: undefined, bootstrapControllers: server.bootstrapServers };
    // The network thread refuses a consumer without brokers. The start would go on to wait for controllers.
    await assert.rejects(bench.start(controllers as never), {
      name: 'UnsupportedEndpointTypeError',
      message: /consumers/,
    });
    await bench.broker.stopListener(0);
    await assert.rejects(bench.start({ apiVersionAutoTimeoutMs: 300 }), NoBrokersAvailable);
    await bench.broker.startListener(0);
    await waitFor('no connections', async () => (await bench.broker.stats()).openConnections === 0);
  });
});

describe('commitSync', () => {
  it('commits what is done from a loop that never returns to the event loop', async () => {
    await filled('abc');
    const consumer = await bench.start({ ...small, commit: 'manual' });
    consumer.pollSync(120_000)!.done();
    const second = consumer.pollSync(120_000)!;
    const report = consumer.commitSync();
    // Nothing has run in this thread's event loop since the first line.
    assert.deepEqual(report, { committed: [place], error: null });
    assert.equal(await committedOffset(), 1, 'the second batch is not done');
    second.done();
    assert.deepEqual(consumer.commitSync(60_000, [{ ...place, offset: 3n }]).committed, [place]);
    assert.equal(await committedOffset(), 3, 'the offset that was given');
  });

  it('throws what a commit fails with', async () => {
    await filled('a');
    const consumer = await bench.start({
      groupId: null,
      topics: undefined,
      assign: [{ ...place, offset: 0 }],
    } as never);
    assert.throws(() => consumer.commitSync(), /groupId/);
    assert.throws(() => consumer.commitSync(-1), IllegalArgumentError);
  });
});

describe('a stream of batches', () => {
  it('marks nothing as done, gives back what is not done when it is destroyed, and can be opened again', async () => {
    await filled('abcd');
    const consumer = await bench.start({ ...small, commit: { everyMs: 50 } });
    const seen: string[] = [];
    for await (const chunk of consumer.readable()) {
      const batch = chunk as ConsumerBatch;
      seen.push(...valuesOf(batch));
      if (seen.length <= 2) assert.equal(batch.done(), 'ok');
      if (seen.length === 3) break;
    }
    assert.deepEqual(seen, ['a', 'b', 'c']);
    await waitFor('the commit of what is done', async () => (await committedOffset()) === 2);
    const [again] = (await once(consumer.readable(), 'data')) as [ConsumerBatch];
    assert.deepEqual(valuesOf(again), ['c']);
  });

  it('ends when the consumer is closed', async () => {
    await filled('a');
    const consumer = await bench.start(small);
    const stream = consumer.readable();
    const [batch] = (await once(stream, 'data')) as [ConsumerBatch];
    batch.done();
    const ended = once(stream, 'end');
    await consumer.close();
    await ended;
  });

  it('can be a web stream, whose cancel gives back what is not done', async () => {
    await filled('ab');
    const consumer = await bench.start(small);
    const reader = consumer.readableWeb().getReader();
    const first = await reader.read();
    assert.deepEqual(valuesOf(first.value!), ['a']);
    first.value!.done();
    const second = await reader.read();
    assert.deepEqual(valuesOf(second.value!), ['b']);
    await reader.cancel();
    assert.deepEqual(valuesOf(await polled(consumer)), ['b']);
  });
});

describe('a loop over a consumer', () => {
  it('settles a batch when it asks for the next one, and nothing when it is left', async () => {
    await filled('ab');
    const consumer = await bench.start({ ...small, commit: { everyMs: 50 } });
    let first: ConsumerBatch | null = null;
    for await (const batch of consumer) {
      if (first === null) {
        first = batch;
        assert.equal(batch.isDone, false);
        continue;
      }
      assert.equal(first.isDone, true);
      await waitFor('the commit of the first', async () => (await committedOffset()) === 1);
      break;
    }
    assert.deepEqual(valuesOf(await polled(consumer)), ['b']);
  });
});

describe('a batch', () => {
  it('that is done in part stays with a loop that goes on, and what is left can be done later', async () => {
    await bench.begin({ topics: { t: 1 } });
    await bench.broker.append('t', 0, [{ value: 'a' }, { value: 'b' }]);
    await bench.broker.append('t', 0, [{ value: 'c' }]);
    const consumer = await bench.start({ ...small, commit: { everyMs: 50 } });
    let first: ConsumerBatch | null = null;
    for await (const batch of consumer) {
      if (first === null) {
        first = batch;
        assert.equal(batch.isPartlyDone, false);
        assert.equal(batch.done(1), 'ok');
        assert.equal(batch.isPartlyDone, true);
        continue;
      }
      assert.deepEqual(valuesOf(batch), ['c']);
      await waitFor('the commit of the first record', async () => (await committedOffset()) === 1);
      assert.equal(first.isDone, false);
      assert.equal(first.lost, false);
      assert.equal(first.done(), 'ok');
      assert.equal(first.isDone, true);
      assert.equal(first.isPartlyDone, false);
      await waitFor('the commit of the second', async () => (await committedOffset()) === 2);
      break;
    }
    assert.deepEqual(valuesOf(await polled(consumer)), ['c'], 'the loop has given it back');
  });

  it('aborts its signal when it is lost', async () => {
    await filled('a');
    const consumer = await bench.start(small);
    const batch = await polled(consumer);
    const { signal } = batch;
    assert.equal(signal.aborted, false);
    assert.ok(await bench.broker.expelMember('g', consumer.group.memberId));
    await waitFor('the abort', () => signal.aborted);
    assert.equal(batch.lost, true);
    assert.equal(batch.signal, signal);
  });

  it('says where it is in the log', async () => {
    await filled('abc');
    const consumer = await bench.start(small);
    const batch = await polled(consumer);
    const { topic, partition, count, firstOffset, nextOffset, highWatermark, lastStableOffset, lag } = batch;
    assert.deepEqual({ topic, partition, count, lag }, { topic: 't', partition: 0, count: 1, lag: 2 });
    assert.deepEqual([firstOffset, nextOffset, highWatermark, lastStableOffset].map(Number), [0, 1, 3, 3]);
    assert.ok(batch.leaderEpoch >= 0);
  });
});

for (const [groupProtocol, protocol] of protocols) {
  describe(`a member of a group, protocol ${groupProtocol}`, () => {
    it('releases its partitions when it unsubscribes, gets others when it subscribes, and tells both', async () => {
      await bench.begin({ topics: { t: 2, u: 1 } });
      await bench.broker.append('u', 0, [{ value: 'of u' }]);
      const consumer = await bench.start(protocol);
      const told: string[] = [];
      const note = (what: string) => (partitions: readonly { readonly topic: string; readonly partition: number }[]) =>
        void told.push(`${what} ${partitions.map(({ topic, partition }) => `${topic}-${partition}`).sort()}`);
      const assigned = note('assigned');
      consumer.on('assigned', assigned).on('revoked', note('revoked'));
      await waitFor('the partitions', () => own(consumer).length === 2);
      await consumer.unsubscribe();
      assert.deepEqual(own(consumer), []);
      await waitFor('the group without it', async () => {
        const group = await bench.broker.describeGroup('g');
        return group === null || group.members.length === 0;
      });
      await consumer.subscribe(['u']);
      const batch = await polled(consumer);
      assert.deepEqual(valuesOf(batch), ['of u']);
      // A batch that is out would be waited for.
      batch.done();
      assert.deepEqual(own(consumer), ['u-0']);
      // It may have had its first partitions before the listener was there.
      await waitFor('the events', () => told.includes('revoked t-0,t-1') && told.includes('assigned u-0'));
      consumer.off('assigned', assigned);
      await consumer.unsubscribe();
      await consumer.subscribe(['t']);
      await waitFor('the first topic again', () => own(consumer).length === 2);
      await waitFor('the release', () => told.includes('revoked u-0'));
      assert.ok(!told.slice(told.indexOf('assigned u-0') + 1).some((one) => one.startsWith('assigned')), 'off');
    });

    it('stays in the group when close is called with remain', async () => {
      await filled('a');
      const consumer = await bench.start({ ...protocol, ...small });
      (await polled(consumer)).done();
      const { memberId } = consumer.group;
      await consumer.close({ leave: 'remain' });
      assert.equal(await committedOffset(), 1, 'what was done is committed');
      const group = await bench.broker.describeGroup('g');
      assert.deepEqual(
        group!.members.map((member) => member.memberId),
        [memberId],
      );
    });
  });
}

describe('a consumer', () => {
  it('tells of a partition that makes no progress, with the cause', async () => {
    await filled('a');
    const consumer = await bench.start({ ...small, stalledMs: 500 });
    (await polled(consumer)).done();
    const stalled: { topic: string; partition: number; cause: string }[] = [];
    consumer.on('stalled', (event) => stalled.push(event));
    // Each fetch fails with UNKNOWN_SERVER_ERROR from now on.
    const rule = await bench.broker.addRule(Fetch.key, { errorCode: -1 });
    await waitFor('the event', () => stalled.length === 1);
    assert.deepEqual({ ...stalled[0], cause: '' }, { ...place, cause: '' });
    assert.match(stalled[0]!.cause, /failures in a row/);
    await bench.broker.removeRule(rule);
    await bench.broker.append('t', 0, [{ value: 'b' }]);
    assert.deepEqual(valuesOf(await polled(consumer)), ['b'], 'it goes on by itself');
  });

  it('is closed at the end of its block by await using', async () => {
    await filled('a');
    const consumer = await bench.start(small);
    await polled(consumer);
    await consumer[Symbol.asyncDispose]();
    assert.equal(await consumer.poll(0), null);
    assert.deepEqual((await bench.broker.describeGroup('g'))!.members, []);
    assert.throws(() => consumer.share(), IllegalStateError);
  });

  it('refuses events and listeners that there are not', async () => {
    await filled('a');
    const consumer = await bench.start(small);
    assert.throws(() => consumer.on('asigned' as 'assigned', () => {}), /assigned/);
    assert.throws(() => consumer.on('assigned', null as never), TypeError);
  });
});
