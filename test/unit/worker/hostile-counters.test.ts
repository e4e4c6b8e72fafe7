// Impossible values in the counters of a link, read outside of its frames: reports stay possible and bounded, and whoever uses the link next
// ends that link alone.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { RingCorruptError } from '../../../src/common/errors/errors.ts';
import { ListGroups } from '../../../src/protocol/flat/generated/apis.ts';
import type { ApplicationEnd } from '../../../src/ring/attachment.ts';
import { HEAD_WORD, RETURNED_WORD, SPILLED_WORD } from '../../../src/ring/layout.ts';
import { NetworkClient } from '../../../src/worker/client/network-client.ts';
import { BlockedThreads } from '../../../src/worker/link/blocked-threads.ts';
import type { BlockedThread } from '../../../src/worker/report/blocked-thread-report.ts';
import { fetchResponse } from './support/big-messages.ts';
import { FakeNetwork } from './support/fake-network.ts';
import * as pooled from './support/pooled-fetches.ts';
import { openConsumerLink, openProducerLink } from './support/role-links.ts';

const impossible = -8;
const ports: MessagePort[] = [];
let net: FakeNetwork;

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

function start(): void {
  net = new FakeNetwork({});
  net.broker('one:9092', 1);
  net.ready(1);
}

/** The memory of the ring in that direction. */
function wordsOf({ requests, responses }: ApplicationEnd, word: number): Int32Array {
  // The application reads one of them, and the words of both are at the same places.
  return word === SPILLED_WORD ? requests.i32 : responses.i32;
}

function corrupt(end: ApplicationEnd, word: number): void {
  Atomics.store(wordsOf(end, word), word, impossible);
}

describe('what a client holds is told, within its limits, when a link has an impossible count of', () => {
  const counters = { 'bodies that were returned': RETURNED_WORD, 'bodies that were sent': SPILLED_WORD };
  const links: Readonly<Record<string, () => Promise<ApplicationEnd>>> = {
    'an attached thread': async () => net.attach().end,
    'a producer': async () => (await openProducerLink(net.control, ports)).end,
    'a consumer': async () => (await openConsumerLink(net.control, ports)).end,
  };
  for (const [what, word] of Object.entries(counters)) {
    for (const [whose, open] of Object.entries(links)) {
      test(`${what}: of ${whose}`, async () => {
        start();
        const end = await open();
        corrupt(end, word);
        const told = await net.control.memory();
        assert.ok('value' in told, JSON.stringify(told));
        for (const [name, { usedBytes, maxBytes }] of Object.entries(told.value.parts))
          assert.ok(usedBytes >= 0 && usedBytes <= maxBytes, `${name}: ${usedBytes} of ${maxBytes}`);
        assert.deepEqual(net.fatal, []);
        end.close();
      });
    }
  }
});

/** The thread was detached, and requests of the owner are answered. */
function isDetached(kind: new (text: string) => Error, broker: { reply(body: object): void }): void {
  net.thread.loop.wake();
  net.run();
  assert.deepEqual([net.fatal, net.broken.length], [[], 1]);
  assert.ok(net.broken[0] instanceof kind, String(net.broken[0]));
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
}

test('an attached thread whose counter is found impossible when the codec pool has decoded its answer is detached', async () => {
  pooled.start();
  net = pooled.net;
  const app = net.attach();
  pooled.sendFetch(1, app);
  await pooled.run();
  pooled.broker.reply(fetchResponse([pooled.bigBatch(1)]));
  await pooled.run();
  assert.equal(pooled.threads.running.length, 1);
  corrupt(app.end, RETURNED_WORD);
  net.forget(app);
  await pooled.finish(0);
  isDetached(RingCorruptError, pooled.broker);
});

test('an attached thread whose frame cannot be handled for another reason is detached, too', (t) => {
  net = new FakeNetwork({});
  const broker = net.broker('one:9092', 1);
  net.ready(1);
  const app = net.attach();
  t.mock.method(NetworkClient.prototype, 'connect', () => {
    throw new RangeError('Array buffer allocation failed');
  });
  app.connect(1);
  net.forget(app);
  isDetached(RangeError, broker);
});

test('a blocked thread whose position is impossible has at most a whole ring of unread bytes', async () => {
  start();
  const app = net.attach();
  app.isReading = false;
  const told: BlockedThread[] = [];
  const report = { threadBlocked: (thread: BlockedThread) => told.push(thread), threadReadsAgain: () => {} };
  const blocked = new BlockedThreads(1000, { ...report, threadStillBlocked: () => {} });
  const { responses } = app.end;
  const link = {
    ringBytes: responses.ringBytes,
    get position() {
      return responses.newestPosition;
    },
    get releasedPosition() {
      return Atomics.load(responses.i32, HEAD_WORD) >>> 0;
    },
    spilledBytesOutstanding: 0,
  };
  blocked.add({ threadId: 1 }, link, () => false);
  app.poll(1);
  net.run();
  Atomics.store(responses.i32, HEAD_WORD, 1 << 30);
  for (let now = 0; now <= 2000; now += 500) blocked.poll(now);
  assert.deepEqual(
    told.map(({ unreadBytes }) => unreadBytes),
    [responses.ringBytes],
  );
  net.detach(app);
});
