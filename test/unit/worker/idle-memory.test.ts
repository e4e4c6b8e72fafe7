// When memory that is kept for reuse is looked at, and that every part of a client which keeps some lets it go.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import type { KafkaClientOptions } from '../../../src/common/config/config.ts';
import type { Reused } from '../../../src/common/kept-memory.ts';
import { ListGroups, OffsetCommit } from '../../../src/protocol/flat/generated/apis.ts';
import { LinkWriter } from '../../../src/ring/link-writer.ts';
import { RequestMemory } from '../../../src/worker/client/request-memory.ts';
import { FetchedMemory } from '../../../src/worker/consumer/fetched-memory.ts';
import { IdleMemory, trimEveryMs } from '../../../src/worker/idle-memory.ts';
import { BatchMemory } from '../../../src/worker/producer/batch-memory.ts';
import { FakeNetwork } from './support/fake-network.ts';
import { openConsumerLink, openProducerLink } from './support/role-links.ts';

const KiB = 1024;
const never = Number.POSITIVE_INFINITY;
let net: FakeNetwork | null = null;
const ports: MessagePort[] = [];

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net?.close();
  net = null;
});

test('there is a deadline only while something is kept, and it does not move', () => {
  const kept = { isKeeping: false, trims: 0, trim: () => kept.trims++ };
  const idle = new IdleMemory([kept]);
  assert.equal(idle.nextDeadline(100), never);
  kept.isKeeping = true;
  assert.equal(idle.nextDeadline(200), 200 + trimEveryMs);
  assert.equal(idle.nextDeadline(300), 200 + trimEveryMs);
  idle.poll(199 + trimEveryMs);
  assert.equal(kept.trims, 0);
  idle.poll(200 + trimEveryMs);
  assert.equal(kept.trims, 1);
  assert.equal(idle.nextDeadline(20_000), 20_000 + trimEveryMs);
  idle.poll(20_000 + trimEveryMs);
  kept.isKeeping = false;
  assert.equal(idle.nextDeadline(50_000), never);
});

test('memory of requests goes, but not what a socket still reads', () => {
  const memory = new RequestMemory();
  const socket = { written: false, isWritten: () => socket.written };
  const [free, lent] = [memory.take(100 * KiB), memory.take(100 * KiB)];
  memory.giveBack(free);
  memory.lend(lent, socket, { position: 1 } as never);
  memory.trim();
  memory.trim();
  assert.equal(memory.keptBytes, lent.length);
  socket.written = true;
  memory.trim();
  memory.trim();
  assert.equal(memory.keptBytes, 0);
  assert.equal(memory.isKeeping, false);
  memory.giveBack(memory.take(KiB));
  assert.ok(memory.keptBytes > 0, 'the account is right after all');
});

test('memory of batches goes, as many of each size as were never needed', () => {
  const memory = new BatchMemory(1024 * KiB, 16 * KiB);
  const sizes = [16, 16, 16, 32, 64].map((size) => memory.take(size * KiB)!);
  for (const batch of sizes) memory.give(batch);
  memory.trim();
  assert.equal(memory.keptBytes, 144 * KiB);
  memory.give(memory.take(16 * KiB)!);
  memory.trim();
  assert.equal(memory.keptBytes, 16 * KiB);
  memory.trim();
  assert.equal(memory.keptBytes, 0);
  assert.equal(memory.isKeeping, false);
});

test('memory of fetched records goes', () => {
  const memory = new FetchedMemory();
  memory.release(memory.copyOf(new Uint8Array(100 * KiB)));
  memory.trim();
  assert.equal(memory.keptBytes, 100 * KiB);
  memory.trim();
  assert.equal(memory.isKeeping, false);
});

async function keptBytes(): Promise<number> {
  const told = await net!.control.memory();
  assert.ok('value' in told, JSON.stringify(told));
  return told.value.parts.kept.usedBytes;
}

function start(options: KafkaClientOptions = {}) {
  net = new FakeNetwork({ connectionsMaxIdleMs: -1, metadataMaxAgeMs: 3_600_000, spillBytes: 1024, ...options });
  const broker = net.broker('one:9092', 1);
  net.ready(1);
  return { net, broker };
}

test('what large requests and answers have left is gone after a while of rest, and the thread then sleeps', async () => {
  const { net: network, broker } = start();
  for (let i = 0; i < 3; i++) {
    network.app.send(1, OffsetCommit, { groupId: 'x'.repeat(30 * KiB), topics: [] });
    network.run();
    broker.reply({ topics: [] });
    network.run();
    network.app.send(1, ListGroups, {});
    network.run();
    broker.reply({ groups: [{ groupId: 'g'.repeat(30 * KiB) }, ...many()] });
    network.run();
  }
  assert.ok((await keptBytes()) > 0);
  network.advance(3 * trimEveryMs);
  assert.equal(await keptBytes(), 0);
  const { turns } = network;
  network.advance(10 * trimEveryMs);
  assert.ok(network.turns - turns < 3, `${network.turns - turns} turns of an idle thread`);
});

const many = () => Array.from({ length: 300 }, (_, i) => ({ groupId: `${i}`.padEnd(KiB, 'g') }));

test('the memory of producers and consumers is looked at, too', async (t) => {
  const { net: network } = start();
  const looks = [BatchMemory, FetchedMemory, LinkWriter].map(({ prototype }) => {
    t.mock.getter(prototype as Reused, 'isKeeping', () => true);
    return t.mock.method(prototype as Reused, 'trim');
  });
  await openProducerLink(network.control, ports);
  await openConsumerLink(network.control, ports);
  network.advance(2 * trimEveryMs);
  const [batches, fetched, links] = looks.map(({ mock }) => new Set(mock.calls.map((call) => call.this)).size);
  assert.deepEqual({ batches, fetched, links }, { batches: 1, fetched: 1, links: 3 });
});
