// An application thread's end of a producer's link: when it reports room.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BlockingLimit } from '../../../../src/main/link/late-limit.ts';
import { type OnFrame, ProducerLink } from '../../../../src/main/producer/producer-link.ts';
import { createAttachmentHandles, openApplicationEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell, Doorbell } from '../../../../src/ring/doorbell.ts';
import { FLUSHED, RECORD } from '../../../../src/ring/frames/kinds.ts';
import { ASLEEP, ASLEEP_WORD } from '../../../../src/ring/layout.ts';
import { createCounters } from '../../../../src/state/counters.ts';

const ringBytes = 64 * 1024;
const spillBytes = 4096;

interface Opened {
  readonly link: ProducerLink;
  readonly network: ReturnType<typeof openNetworkEnd>;
  readonly networkDoorbell: Doorbell;
  /** Whether the network thread sleeps. */
  readonly isAsleep: () => boolean;
}

function open(onFrame: OnFrame = () => {}): Opened {
  const doorbell = createDoorbell();
  const words = new Int32Array(doorbell);
  const limits = { requestRingBytes: ringBytes, responseRingBytes: ringBytes, spillBytes, spillBudgetBytes: 1 << 20 };
  const { application, network } = createAttachmentHandles(limits, doorbell, createCounters());
  const broken = (error: unknown): void => assert.fail(String(error));
  const link = new ProducerLink(openApplicationEnd(application), onFrame, () => {}, broken);
  const end = openNetworkEnd(network);
  after(() => {
    link.close();
    end.close();
  });
  const isAsleep = (): boolean => Atomics.load(words, ASLEEP_WORD) === ASLEEP;
  return { link, network: end, networkDoorbell: new Doorbell(doorbell), isAsleep };
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

test('a frame that was owed is announced when it is posted, although others are still owed', () => {
  const { link, network, networkDoorbell, isAsleep } = open();
  const { requests } = link.end;
  while (requests.begin(1024)) requests.commit(RECORD, 0, 0, 1024);
  while (requests.commitEmpty(RECORD, 0, 0));
  const large = { kind: RECORD, requestId: 0, detail: 0, body: new Uint8Array(4000) };
  for (let i = 0; i < 3; i++) link.post(large);
  for (let i = 0; i < 5; i++) {
    assert.ok(network.requests.next());
    network.requests.release();
  }
  assert.ok(networkDoorbell.sleep(() => false) !== null);
  assert.ok(isAsleep());
  assert.equal(link.isOwing, true);
  assert.equal(isAsleep(), false, 'one frame was posted');
});

test('a frame is posted that found room only after the network thread could see that it waits', () => {
  const { link, network } = open();
  const { requests } = link.end;
  while (requests.commitEmpty(RECORD, 0, 0));
  // The network thread makes room at the worst moment: it sees no one who waits, and so it will not ring.
  const setWaiting = requests.setWaiting.bind(requests);
  requests.setWaiting = (isWaiting) => {
    while (!network.requests.isWriterWaiting && network.requests.next()) network.requests.release();
    setWaiting(isWaiting);
  };
  link.post({ kind: RECORD, requestId: 0, detail: 0, body: null });
  assert.ok(network.requests.next(), 'it is there, or nothing would ever post it');
  assert.equal(network.requests.isWriterWaiting, false);
});

test('a blocked thread is woken to read deliveries when there is no room for more', () => {
  let taken = 0;
  const { link, network } = open(() => taken++);
  assert.ok(network.responses.commitEmpty(FLUSHED, 1, 0));
  let looks = 0;
  const isOver = (): boolean => {
    // The network thread finds no room after this thread has looked for that, and before it sleeps.
    if (++looks === 2) network.responses.setWaiting(true);
    return taken > 0;
  };
  assert.equal(link.blockUntil(isOver, new BlockingLimit(10_000)), true);
});

test('a blocked thread reads deliveries only if there is no room for more', () => {
  let taken = 0;
  const { link, network } = open(() => taken++);
  let now = 0;
  const clock = (): number => now++;
  assert.ok(network.responses.commitEmpty(FLUSHED, 1, 0));
  assert.equal(
    link.blockUntil(() => taken > 0, new BlockingLimit(5, clock)),
    false,
  );
  network.responses.setWaiting(true);
  assert.equal(
    link.blockUntil(() => taken > 0, new BlockingLimit(1000, clock)),
    true,
  );
});
