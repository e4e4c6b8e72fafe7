// Both ends of an attachment talk to each other, on one thread and on two, and impossible options are refused.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IllegalStateError } from '../../../src/common/errors/errors.ts';
import {
  type AttachmentOptions,
  createAttachment,
  createAttachmentHandles,
  openApplicationEnd,
  openNetworkEnd,
} from '../../../src/ring/attachment.ts';
import { createDoorbell, Doorbell } from '../../../src/ring/doorbell.ts';
import { POLL, POLLED, RESPONSE, SEND } from '../../../src/ring/frames/kinds.ts';
import type { LinkReader, LinkWriter } from '../../../src/ring/link.ts';
import { CountersWriter, createCounters, STATE_RUNNING } from '../../../src/state/counters.ts';
import { fillPattern, findMismatch } from './support/random.ts';

const options: AttachmentOptions = {
  requestRingBytes: 1024,
  responseRingBytes: 2048,
  spillBytes: 256,
  spillBudgetBytes: 65_536,
};

function exchange(writer: LinkWriter, reader: LinkReader, kind: number, n: number, bytes: number): void {
  assert.ok(writer.begin(bytes));
  fillPattern(writer.u8, writer.base, bytes, n);
  assert.ok(writer.commit(kind, n, -n, bytes));
  assert.ok(reader.next());
  assert.deepEqual([reader.kind, reader.requestId, reader.detail, reader.byteLength], [kind, n, -n, bytes]);
  assert.equal(findMismatch(reader.u8, reader.base, bytes, n), -1);
  reader.release();
}

test('carries messages of all sizes both ways over one port', () => {
  const counters = createCounters();
  const { application, handle, transferList } = createAttachment(options, createDoorbell(), counters);
  assert.deepEqual(transferList, [handle.bodyPort, handle.sparePort]);
  const network = openNetworkEnd(handle);
  for (let n = 1; n < 200; n++) {
    exchange(application.requests, network.requests, SEND, n, (n * 61) % 1500);
    exchange(network.responses, application.responses, RESPONSE, n, (n * 97) % 1500);
  }
  assert.ok(application.requests.commitEmpty(POLL, 7, 0));
  assert.ok(network.requests.next());
  assert.ok(network.responses.commitEmpty(POLLED, 7, 0));
  assert.ok(application.responses.next());
  new CountersWriter(counters).setState(STATE_RUNNING);
  assert.equal(application.counters.state(), STATE_RUNNING);
  application.close();
  network.close();
});

test('moved bodies of both directions pass each other on the port', () => {
  const { application, network } = createAttachmentHandles(options, createDoorbell(), createCounters());
  const here = openApplicationEnd(application);
  const there = openNetworkEnd(network);
  for (let n = 1; n <= 5; n++) {
    for (const writer of [here.requests, there.responses]) {
      assert.ok(writer.begin(1000 * n));
      fillPattern(writer.u8, writer.base, 1000 * n, n);
      assert.ok(writer.commit(SEND, n, n, 1000 * n));
    }
  }
  for (const reader of [there.requests, here.responses]) {
    for (let n = 1; n <= 5; n++) {
      assert.ok(reader.next());
      assert.equal(reader.byteLength, 1000 * n);
      assert.equal(findMismatch(reader.u8, reader.base, 1000 * n, n), -1);
    }
  }
  here.close();
  there.close();
});

test('each end rings the bell of the other thread', async () => {
  const networkBell = createDoorbell();
  const { application, handle } = createAttachment(options, networkBell, createCounters());
  const network = openNetworkEnd(handle);
  const keepAlive = setInterval(() => {}, 60_000);
  const applicationSleep = application.ownDoorbell.sleep(() => false);
  network.applicationDoorbell.notify();
  await applicationSleep;
  const networkSleep = new Doorbell(networkBell).sleep(() => false);
  application.networkDoorbell.notify();
  await networkSleep;
  clearInterval(keepAlive);
  application.close();
  network.close();
});

test('both handles survive structured clone', () => {
  const { application, network } = createAttachmentHandles(options, createDoorbell(), createCounters());
  const there = openNetworkEnd(structuredClone(network, { transfer: [network.bodyPort, network.sparePort] }));
  const here = openApplicationEnd(
    structuredClone(application, { transfer: [application.bodyPort, application.sparePort] }),
  );
  exchange(here.requests, there.requests, SEND, 1, 1000);
  exchange(there.responses, here.responses, RESPONSE, 2, 200);
  here.close();
  there.close();
});

test('refuses rings that cannot hold a body of spillBytes', () => {
  const wrong: readonly [Partial<AttachmentOptions>, RegExp][] = [
    [{ requestRingBytes: 1000 }, /requestRingBytes is 1000/],
    [{ responseRingBytes: 0 }, /responseRingBytes is 0/],
    [{ spillBytes: 512 }, /requestRingBytes is 1024, too small for spillBytes 512/],
    [{ responseRingBytes: 512, spillBytes: 256 }, /responseRingBytes is 512/],
    [{ spillBytes: -1 }, /spillBytes is -1/],
    [{ spillBudgetBytes: 2 ** 31 }, /spillBudgetBytes/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(
      () => createAttachment({ ...options, ...change }, createDoorbell(), createCounters()),
      (error) => {
        assert.ok(error instanceof IllegalStateError);
        assert.match(error.message, message);
        return true;
      },
    );
  }
});
