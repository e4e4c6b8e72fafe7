// The links of one consumer: a thread that comes when the consumer has ended is told so.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { parseConsumerConfig } from '../../../../src/common/config/consumer-config-parser.ts';
import { Cancelled } from '../../../../src/common/errors/errors.ts';
import { createAttachmentHandles } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { createLifeline } from '../../../../src/ring/lifeline.ts';
import { createBatchTable } from '../../../../src/state/batch-table.ts';
import { createConsumerSnapshot } from '../../../../src/state/consumer-snapshot.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import { BlockedThreads } from '../../../../src/worker/link/blocked-threads.ts';
import { ConsumerLinks } from '../../../../src/worker/link/consumer-links.ts';
import { Events } from '../../../../src/worker/report/events.ts';
import { Log } from '../../../../src/worker/report/log.ts';
import { Metrics } from '../../../../src/worker/report/metrics-recorder.ts';
import { ConsumerBench } from '../consumer/support/consumer-bench.ts';

function newHandle() {
  const sizes = { requestRingBytes: 4096, responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 65_536 };
  const { network } = createAttachmentHandles(sizes, createDoorbell(), createCounters());
  const lifePorts = createLifeline();
  return { handle: { link: network, table: createBatchTable(4), lifePort: lifePorts.network }, lifePorts, network };
}

test('a thread that attaches after the end of the consumer, before the last answers are read, is refused with a reason', async (t) => {
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
  let ends = 0;
  const links = new ConsumerLinks(
    new ConsumerBench({}),
    {
      client: parseConfig({}),
      metrics: null,
      decoder: null,
      config: parseConsumerConfig({}),
      snapshot: createConsumerSnapshot(),
      newMemberId: () => 'member-id',
      log: () => {},
      onClosed: () => ends++,
      onBroken: () => {},
      pushing: { host: new ConsumerBench({}), open: () => assert.fail('no broker takes metrics'), failed: () => {} },
      blocked: new BlockedThreads(0, new Events(new Metrics(null, 0), new Log('silent', () => {}))),
    },
    0,
  );
  links.detach(links.attach(open().handle, null));
  links.poll(0);
  assert.equal(ends, 1, 'nobody reads it any more, so it has ended');
  const late = open();
  const { application } = late.lifePorts;
  // A port without a listener for messages does not keep the process alive until it closes.
  application.ref();
  const told = once(application, 'close');
  assert.throws(() => links.attach(late.handle, null), Cancelled);
  await told;
});
