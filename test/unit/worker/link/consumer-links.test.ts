// The links of one consumer: a thread that comes when the consumer has ended is told so, and one whose memory is broken leaves the others.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { parseConsumerConfig } from '../../../../src/common/config/consumer-config-parser.ts';
import { Cancelled, RingCorruptError } from '../../../../src/common/errors/errors.ts';
import { Fetch, FindCoordinator, JoinGroup } from '../../../../src/protocol/flat/generated/apis.ts';
import { createAttachmentHandles, openApplicationEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { consumerCallFrame } from '../../../../src/ring/frames/consumer-frames.ts';
import { writeFrame } from '../../../../src/ring/frames/frame.ts';
import { CONSUMER_BATCH } from '../../../../src/ring/frames/kinds.ts';
import { RETURNED_WORD } from '../../../../src/ring/layout.ts';
import { createLifeline } from '../../../../src/ring/lifeline.ts';
import { BatchTableUser, createBatchTable } from '../../../../src/state/batch-table.ts';
import { createConsumerSnapshot } from '../../../../src/state/consumer-snapshot.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import { encodeSubscription } from '../../../../src/worker/consumer/consumer-protocol.ts';
import { Dealer } from '../../../../src/worker/consumer/dealer.ts';
import { BlockedThreads } from '../../../../src/worker/link/blocked-threads.ts';
import { ConsumerLinks } from '../../../../src/worker/link/consumer-links.ts';
import { Events } from '../../../../src/worker/report/events.ts';
import { Log } from '../../../../src/worker/report/log.ts';
import { Metrics } from '../../../../src/worker/report/metrics-recorder.ts';
import { joined } from '../consumer/support/classic-bench.ts';
import { ConsumerBench } from '../consumer/support/consumer-bench.ts';
import { coordinator } from '../consumer/support/member-bench.ts';
import { answerWith } from '../consumer/support/reading-bench.ts';

function newHandle() {
  const sizes = { requestRingBytes: 4096, responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 65_536 };
  const { network, application } = createAttachmentHandles(sizes, createDoorbell(), createCounters());
  const lifePorts = createLifeline();
  const table = createBatchTable(4);
  return { handle: { link: network, table, lifePort: lifePorts.network }, lifePorts, network, application };
}

/** The links of a consumer, and what opens the ends of application threads. */
function newLinks(t: TestContext, host = new ConsumerBench({}), options: object = {}) {
  const opened: ReturnType<typeof newHandle>[] = [];
  const open = () => {
    const one = newHandle();
    opened.push(one);
    return one;
  };
  t.after(() => {
    for (const { lifePorts, network } of opened) {
      lifePorts.application.close();
      network.bodyPort.close();
      network.sparePort.close();
    }
  });
  const ends: ConsumerLinks[] = [];
  const broken: Error[] = [];
  const faults: unknown[] = [];
  const config = parseConsumerConfig(options);
  const links = new ConsumerLinks(
    host,
    {
      client: parseConfig({}),
      metrics: null,
      decoder: null,
      config,
      snapshot: createConsumerSnapshot(),
      newMemberId: () => 'member-id',
      log: () => {},
      onClosed: (ended) => ends.push(ended),
      onBroken: (_owner, error) => broken.push(error),
      onFault: (error) => faults.push(error),
      pushing: { host: new ConsumerBench({}), open: () => assert.fail('no broker takes metrics'), failed: () => {} },
      blocked: new BlockedThreads(0, new Events(new Metrics(null, 0), new Log('silent', () => {}))),
    },
    host.now,
  );
  return { links, config, open, ends, broken, faults };
}

test('a thread that attaches after the end of the consumer, before the last answers are read, is refused with a reason', async (t) => {
  const { links, open, ends } = newLinks(t);
  links.detach(links.attach(open().handle, null));
  links.poll(1000);
  assert.equal(ends.length, 1, 'nobody reads it any more, so it has ended');
  const late = open();
  const { application } = late.lifePorts;
  // A port without a listener for messages does not keep the process alive until it closes.
  application.ref();
  const told = once(application, 'close');
  assert.throws(() => links.attach(late.handle, null), Cancelled);
  await told;
});

test('what a consumer throws when one of its threads has ended is its own fault, and reaches nobody else', async (t) => {
  const { links, open, faults } = newLinks(t);
  const { handle, lifePorts } = open();
  links.attach(handle, null);
  const fault = new RangeError('Array buffer allocation failed');
  t.mock.method(Dealer.prototype, 'remove', () => {
    throw fault;
  });
  // A port without a listener for messages does not keep the process alive until it closes.
  lifePorts.network.ref();
  const closed = once(lifePorts.network, 'close');
  lifePorts.application.close();
  await closed;
  assert.deepEqual(faults, [fault]);
});

test('memory with an impossible value that is found while records are handed out ends the link of that thread alone', async (t) => {
  await prepareCodecs();
  const bench = new ConsumerBench({}).topic('t', 1);
  const assign = [{ topic: 't', partition: 0, offset: 10 }];
  const { links, config, open, ends, broken } = newLinks(t, bench, { assign });
  const [bad, good] = [open(), open()];
  for (const { handle } of [bad, good]) {
    links.attach(handle, null);
    new BatchTableUser(handle.table).asked(bench.now, true);
  }
  links.begin(config, bench.now);
  links.poll(bench.now);
  Atomics.store(new Int32Array(bad.network.responseRing), RETURNED_WORD, 8);
  // Decoded it may be more than the spill budget, so the network thread looks how much was read.
  const records = buildBatch({ baseOffset: 10n, records: [{ value: 'x'.repeat(40_000) }] });
  answerWith(bench, { records });
  links.poll(bench.now);
  assert.equal(broken.length, 1);
  assert.ok(broken[0] instanceof RingCorruptError, String(broken[0]));
  assert.deepEqual([links.ends.length, ends], [1, []]);
  // Its records come again, behind what was asked for before.
  const { responses, close } = openApplicationEnd(good.application);
  t.after(close);
  const kinds: number[] = [];
  for (let i = 0; i < 5; i++) {
    if (bench.asked(Fetch).length > 0) answerWith(bench, { records });
    links.poll(bench.now);
    for (; responses.next(); responses.release()) kinds.push(responses.kind);
  }
  assert.equal(kinds.filter((kind) => kind === CONSUMER_BATCH).length, 1, kinds.join());
});

test('a consumer that has ended by a fault leaves no topic behind that metadata must cover', async (t) => {
  const bench = new ConsumerBench({}).topic('t', 1).topic('u', 1).topic('v', 1);
  const options = { groupId: 'g', groupProtocol: 'classic', topics: ['t'] };
  const { links, config, open, ends } = newLinks(t, bench, options);
  const { handle, application } = open();
  links.attach(handle, null);
  links.begin(config, bench.now);
  bench.answer(FindCoordinator, coordinator);
  links.poll(bench.now);
  const subscription = { topics: ['u'], owned: [], generation: -1, userData: null, rackId: null };
  const members = [{ memberId: 'm', groupInstanceId: null, metadata: encodeSubscription(subscription) }];
  bench.answer(JoinGroup, { ...joined, leader: 'm', members });
  const { requests, close } = openApplicationEnd(application);
  t.after(close);
  const questions = [{ topic: 'v', partition: 0, timestampMs: -1 }];
  assert.ok(
    writeFrame(requests, consumerCallFrame({ callId: 1, call: { op: 'offsets', questions, timeoutMs: 1000 } })),
  );
  links.poll(bench.now);
  const topics = [...bench.tracked.values()].flatMap((all) => [...all]);
  assert.deepEqual(topics.sort(), ['t', 'u', 'v']);
  links.fail(new RangeError('Array buffer allocation failed'), bench.now);
  assert.deepEqual([bench.tracked.size, ends.length], [0, 1]);
});
