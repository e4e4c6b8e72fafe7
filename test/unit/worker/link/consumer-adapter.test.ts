// Calls of an application on a consumer's link, while more goes on: what each is answered, and what the application reads after it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import type { ConsumerCall } from '../../../../src/common/consumer-calls.ts';
import { FetchFailedError } from '../../../../src/common/errors/errors.ts';
import { ConsumerBatch } from '../../../../src/main/consumer/consumer-batch.ts';
import { ConsumerLink } from '../../../../src/main/consumer/consumer-link.ts';
import { FindCoordinator, OffsetCommit } from '../../../../src/protocol/flat/generated/apis.ts';
import { createAttachmentHandles, openApplicationEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { createBatchTable } from '../../../../src/state/batch-table.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import { ConsumerAdapter } from '../../../../src/worker/link/consumer-adapter.ts';
import { ConsumerProxy } from '../../../../src/worker/link/consumer-proxy.ts';
import type { ConsumerBench } from '../consumer/support/consumer-bench.ts';
import { handOut } from '../consumer/support/handed-out.ts';
import { coordinator } from '../consumer/support/member-bench.ts';
import { answerWith, partitionOf, reading } from '../consumer/support/reading-bench.ts';

before(prepareCodecs);

interface Linked {
  readonly link: ConsumerLink;
  readonly proxy: ConsumerProxy;
  /** The network thread reads the calls and runs a turn. What it has written is not read yet. */
  serve(): void;
}

function linked(bench: ConsumerBench): Linked {
  const limits = { requestRingBytes: 16_384, responseRingBytes: 65_536, spillBytes: 4096, spillBudgetBytes: 1 << 20 };
  const { application, network } = createAttachmentHandles(limits, createDoorbell(), createCounters());
  const table = createBatchTable(16);
  const networkEnd = openNetworkEnd(network);
  const proxy = new ConsumerProxy(2, networkEnd, table, 64 * 1024 * 1024);
  const adapter = new ConsumerAdapter(bench.role, networkEnd.requests, proxy, () => {});
  const unexpected = (): never => assert.fail('not expected here');
  const parts = { onEvent: () => {}, callbackThrew: unexpected, onClosed: () => {}, groupIdentity: unexpected };
  const link = new ConsumerLink({ end: openApplicationEnd(application), table, ...parts });
  after(() => {
    link.close(new Error('over'));
    proxy.close();
  });
  const serve = (): void => {
    adapter.drain(bench.now);
    bench.turn();
    proxy.flush();
  };
  return { link, proxy, serve };
}

const commitAll: ConsumerCall = { op: 'commit', offsets: null, timeoutMs: 10_000 };
const answered = { topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode: 0 }] }] };

describe('the report of a commit of what is done', () => {
  it('has what it has committed, although more is done by now', () => {
    const bench = reading({ groupId: 'g', commit: 'manual' }, 1);
    const { link, serve } = linked(bench);
    const batch = handOut(bench, 0);
    batch.doneUpTo = 12n;
    const call = link.call(commitAll);
    serve();
    bench.answer(FindCoordinator, coordinator);
    batch.doneUpTo = 13n;
    bench.turn();
    const request = bench.answer(OffsetCommit, answered);
    assert.equal(request.topics![0]!.partitions![0]!.committedOffset, 12n);
    serve();
    link.drain();
    assert.deepEqual(call.value, { committed: [{ topic: 't', partition: 0 }], error: null });
  });

  it('has what was committed before', () => {
    const bench = reading({ groupId: 'g', commit: 'manual' }, 1);
    const { link, serve } = linked(bench);
    partitionOf(bench, 0).committed = { offset: 10n, leaderEpoch: 5 };
    const call = link.call(commitAll);
    serve();
    link.drain();
    assert.deepEqual(call.value, { committed: [{ topic: 't', partition: 0 }], error: null });
  });
});

/** A consumer that is read through a link alone. */
function read(partitions = 1): Linked & { readonly bench: ConsumerBench } {
  const bench = reading({}, partitions);
  const ends = linked(bench);
  bench.role.remove(bench.application);
  bench.role.add(ends.proxy);
  ends.link.asks();
  return { bench, ...ends };
}

/** An error stops the partition, and is on its way to the application. */
function stop(bench: ConsumerBench, text: string): void {
  partitionOf(bench, 0).fail(new FetchFailedError(text, { topic: 't', partition: 0 }));
  bench.turn();
}

describe('the error of a partition', () => {
  for (const [title, change] of [
    ['was lost', ({ role }) => role.partitions.lose([{ topic: 't', partition: 0 }])],
    ['was sought by another thread', (bench) => bench.role.resolver.start(partitionOf(bench, 0), { offset: '5' })],
  ] as const satisfies readonly (readonly [string, (bench: ConsumerBench) => void])[])
    it(`that ${title} in the meantime is not raised`, () => {
      const { bench, link } = read();
      stop(bench, 'too late');
      change(bench);
      link.drain();
      assert.equal(link.take(), undefined);
    });

  it('is raised for each of more partitions than batches may be out', () => {
    const count = 40;
    const { bench, link } = read(count);
    for (const partition of bench.role.partitions.all)
      partition.fail(new FetchFailedError('stopped', { topic: 't', partition: partition.index }));
    let raised = 0;
    for (let rounds = 0; rounds < count && raised < count; rounds++) {
      bench.turn();
      link.drain();
      while (link.take() !== undefined) raised++;
    }
    assert.equal(raised, count);
  });

  it('can be raised any number of times, also if it is never taken', () => {
    const { bench, link } = read();
    for (let i = 0; i < 100; i++) {
      stop(bench, `number ${i}`);
      link.drain();
      if (i % 2 === 0) assert.match(String(link.take()), new RegExp(`number ${i} `));
      bench.role.resolver.start(partitionOf(bench, 0), { offset: '5' });
      bench.turn();
    }
  });
});

describe('after a seek an application reads nothing of the former place', () => {
  const seek: ConsumerCall = { op: 'seek', topic: 't', partition: 0, start: { offset: '5' } };
  it('also when a batch was on its way', () => {
    const { bench, link, serve } = read();
    answerWith(bench, { records: buildBatch({ baseOffset: 10n, records: [{ value: 'old' }] }) });
    link.call(seek);
    link.drain();
    assert.equal(link.take(), undefined);
    serve();
    answerWith(bench, {});
    answerWith(bench, { records: buildBatch({ baseOffset: 5n, records: [{ value: 'new' }] }) });
    link.drain();
    const batch = link.take();
    assert.ok(batch instanceof ConsumerBatch);
    assert.equal(String(batch.firstOffset), '5');
  });

  it('also when an error was on its way, and it gets the next one', () => {
    const { bench, link, serve } = read();
    stop(bench, 'at the former place');
    link.call(seek);
    link.drain();
    assert.equal(link.take(), undefined);
    serve();
    stop(bench, 'at the new place');
    link.drain();
    assert.match(String(link.take()), /at the new place/);
  });

  it('also when the seek was refused, and what comes after is read', () => {
    const { bench, link, serve } = read();
    const call = link.call({ ...seek, partition: 7 });
    serve();
    link.drain();
    assert.ok(call.exception !== null);
    bench.role.assign([{ topic: 't', partition: 7, start: { offset: '0' } }], bench.now);
    bench.role.partitions.get('t', 7)!.fail(new FetchFailedError('of partition 7', { topic: 't', partition: 7 }));
    serve();
    link.drain();
    assert.match(String(link.take()), /of partition 7/);
  });
});
