// An application thread's end of a producer's link: when it reports room.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type OnFrame, ProducerLink } from '../../../../src/main/producer/producer-link.ts';
import { createAttachmentHandles, openApplicationEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import { FLUSHED, RECORD } from '../../../../src/ring/frames/kinds.ts';
import { createCounters } from '../../../../src/state/counters.ts';

const ringBytes = 64 * 1024;
const spillBytes = 4096;

function open(onFrame: OnFrame = () => {}): { link: ProducerLink; network: ReturnType<typeof openNetworkEnd> } {
  const limits = { requestRingBytes: ringBytes, responseRingBytes: ringBytes, spillBytes, spillBudgetBytes: 1 << 20 };
  const { application, network } = createAttachmentHandles(limits, createDoorbell(), createCounters());
  const broken = (error: unknown): void => assert.fail(String(error));
  const link = new ProducerLink(openApplicationEnd(application), onFrame, () => {}, broken);
  const end = openNetworkEnd(network);
  after(() => {
    link.close();
    end.close();
  });
  return { link, network: end };
}

test('a full ring has no room for many small records, although one large record could still be moved', () => {
  const { link, network } = open();
  const { requests } = link.end;
  while (requests.begin(1024)) requests.commit(RECORD, 0, 0, 1024);
  assert.equal(link.hasRoom(100_000), false);
  link.wantRoom(100_000);
  assert.equal(link.hasNews(), false);
  for (let i = 0; i < 10; i++) {
    assert.ok(network.requests.next());
    network.requests.release();
  }
  assert.equal(link.hasRoom(100_000), true);
  assert.equal(link.hasNews(), true);
});

test('a blocked thread reads deliveries only if there is no room for more', () => {
  let taken = 0;
  const { link, network } = open(() => taken++);
  let now = 0;
  const clock = (): number => now++;
  assert.ok(network.responses.commitEmpty(FLUSHED, 1, 0));
  assert.equal(
    link.blockUntil(() => taken > 0, 5, clock),
    false,
  );
  network.responses.setWaiting(true);
  assert.equal(
    link.blockUntil(() => taken > 0, 1000, clock),
    true,
  );
});
