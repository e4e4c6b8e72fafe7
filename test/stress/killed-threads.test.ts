// One of two threads is killed at any point. The other one sees whole messages or none, and never throws or hangs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { createDoorbell, Doorbell } from '../../src/ring/doorbell.ts';
import { SEND } from '../../src/ring/frames/kinds.ts';
import { createRing, FLAG_SPILLED, openRing } from '../../src/ring/layout.ts';
import { LinkReader, LinkWriter } from '../../src/ring/link.ts';
import { RingConsumer, RingProducer } from '../../src/ring/ring-buffer.ts';
import { chooseSeed, fillPattern, findMismatch, Random } from '../unit/ring/support/random.ts';
import { hangTimeoutMs, repeat } from './budget.ts';
import { Peer } from './peer.ts';
import { checkMessage, lengthOf } from './roles.ts';

/** More than anybody will see. */
const endless = 2 ** 30;

/** Ends the peer whatever happens, so that a failure ends the process too. */
async function withPeer(use: (peer: Peer) => Promise<void>): Promise<void> {
  const peer = new Peer();
  try {
    await use(peer);
  } finally {
    await peer.terminate();
  }
}

function prepare(random: Random) {
  const capacity = 128 << random.below(3);
  const { port1, port2 } = new MessageChannel();
  return {
    here: port1,
    ownBell: new Doorbell(createDoorbell()),
    otherBell: new Doorbell(createDoorbell()),
    shared: {
      ring: createRing(capacity, 2 ** 32 - 8 * (1 + random.below(2000))),
      seed: random.uint32(),
      count: endless,
      longest: 32 + random.below(300),
      spillBytes: random.below(capacity / 2 - 15),
      spillBudgetBytes: random.below(3000),
      port: port2,
    },
  };
}

test('a reader outlives its writer', { timeout: hangTimeoutMs }, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const rounds = await repeat(0.12, () =>
    withPeer(async (peer) => {
      const { here, ownBell, otherBell, shared } = prepare(random);
      const reader = new LinkReader(new RingConsumer(openRing(shared.ring)), here);
      const bells = { own: otherBell.buffer, other: ownBell.buffer, isBlocking: random.isOneIn(2), dozeMs: null };
      peer.start({ role: 'write-messages', ...shared, ...bells }, [shared.port]);
      let n = 0;
      for (const killAt = 1 + random.below(600); n < killAt; ) {
        while (n < killAt && reader.next()) {
          checkMessage(reader, shared, n++);
          reader.release();
        }
        otherBell.notify();
        if (n < killAt) await ownBell.sleep(() => !reader.isEmpty());
      }
      await peer.terminate();
      while (reader.next()) {
        checkMessage(reader, shared, n++);
        reader.release();
      }
      assert.equal(reader.isEmpty(), true);
      here.close();
    }),
  );
  t.diagnostic(`${rounds} writers killed`);
});

test('a writer outlives its reader', { timeout: hangTimeoutMs }, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const rounds = await repeat(0.12, () =>
    withPeer(async (peer) => {
      const { here, ownBell, otherBell, shared } = prepare(random);
      const writer = new LinkWriter(new RingProducer(openRing(shared.ring)), here, shared);
      const bells = { own: otherBell.buffer, other: ownBell.buffer, isBlocking: random.isOneIn(2), dozeMs: null };
      peer.start({ role: 'read-messages', ...shared, ...bells }, [shared.port]);
      const put = (n: number): boolean => {
        const bytes = lengthOf(shared.seed, n, shared.longest);
        if (!writer.begin(bytes)) return false;
        fillPattern(writer.u8, writer.base, bytes, n);
        if (writer.commit(SEND, n, ~n, bytes)) return true;
        writer.abandon();
        return false;
      };
      let n = 0;
      for (const killAt = 1 + random.below(600); n < killAt; ) {
        if (put(n)) {
          n++;
          continue;
        }
        otherBell.notify();
        const bytes = lengthOf(shared.seed, n, shared.longest);
        await ownBell.sleep(() => writer.hasRoom(bytes));
      }
      await peer.terminate();
      const killedAt = n;
      while (put(n)) n++;
      assert.ok(n - killedAt <= 1 + 512 / 16, `${n - killedAt} messages fit a ring that nobody reads`);
      otherBell.notify();
      assert.equal(put(n), false);
      checkRest(shared, n);
      here.close();
    }),
  );
  t.diagnostic(`${rounds} readers killed`);
});

/** Whoever reads the ring next finds every message that was not released, up to `end`; moved bodies died with the port. */
function checkRest(shared: { ring: SharedArrayBuffer; seed: number; longest: number }, end: number): void {
  const consumer = new RingConsumer(openRing(shared.ring));
  let n = -1;
  while (consumer.next()) {
    if (n === -1) n = consumer.requestId;
    assert.deepEqual([consumer.kind, consumer.requestId, consumer.detail], [SEND, n, ~n]);
    if (consumer.flags !== FLAG_SPILLED) {
      const bytes = lengthOf(shared.seed, n, shared.longest);
      assert.equal(consumer.bodyBytes, bytes);
      assert.equal(findMismatch(consumer.u8, consumer.bodyOffset, bytes, n), -1);
    }
    n++;
  }
  if (n !== -1) assert.equal(n, end);
}

test('a notifier outlives the owner of the doorbell, whether the owner sleeps or not', {
  timeout: hangTimeoutMs,
}, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const rounds = await repeat(0.06, () =>
    withPeer(async (peer) => {
      const bell = new Doorbell(createDoorbell());
      const own = new Doorbell(createDoorbell());
      const work = new SharedArrayBuffer(256);
      const words = new Int32Array(work);
      const shared = { work, count: endless, seed: random.uint32(), isBlocking: random.isOneIn(2), dozeMs: null };
      peer.start({ role: 'own-bell', ...shared, own: bell.buffer, notifiers: [own.buffer] });
      for (let n = 1; n < 20 + random.below(200); n++) {
        Atomics.store(words, 32, n);
        bell.notify();
        await own.sleep(() => Atomics.load(words, 0) === n);
      }
      const ended = peer.terminate();
      for (let i = 0; i < 100; i++) bell.notify();
      await ended;
      for (let i = 0; i < 100; i++) bell.notify();
    }),
  );
  t.diagnostic(`${rounds} owners killed`);
});
