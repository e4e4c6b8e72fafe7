// What a client holds is told and has one limit, which holds under brokers and threads that do not read.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ClientMemory } from '../../../src/common/client-memory.ts';
import type { KafkaClientOptions } from '../../../src/common/config/config.ts';
import { NodeNotReadyError } from '../../../src/common/errors/errors.ts';
import { ListGroups, OffsetCommit } from '../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from './support/fake-network.ts';
import { type FakeBroker, int32, responseFrame } from './support/fake-peer.ts';

const KiB = 1024;
const MiB = KiB * KiB;
let net: FakeNetwork;

afterEach(() => net.close());

/** Brokers 1 to `count`, all ready. */
function start(count: number, options: KafkaClientOptions): FakeBroker[] {
  net = new FakeNetwork({ connectionsMaxIdleMs: -1, spillBytes: 1024, ...options });
  const brokers = Array.from({ length: count }, (_, i) => net.broker(i === 0 ? 'one:9092' : `b${i}:9092`, i + 1));
  for (let id = 1; id <= count; id++) net.ready(id);
  return brokers;
}

async function memory(): Promise<ClientMemory> {
  const told = await net.control.memory();
  assert.ok('value' in told, JSON.stringify(told));
  const { value } = told;
  for (const [name, { usedBytes, maxBytes }] of Object.entries(value.parts))
    assert.ok(usedBytes <= maxBytes, `${name}: ${usedBytes} of ${maxBytes}`);
  assert.ok(value.usedBytes <= value.maxBytes);
  return value;
}

/** Answers with about so many bytes. */
function answer(broker: FakeBroker, bytes: number): void {
  broker.reply({ groups: Array.from({ length: bytes / KiB }, (_, i) => ({ groupId: `${i}`.padEnd(KiB, 'g') })) });
}

test('an idle client holds its rings and the chunks of its connections', async () => {
  start(2, { requestRingBytes: 64 * KiB, responseRingBytes: 128 * KiB });
  const { parts } = await memory();
  assert.equal(parts.rings.usedBytes, 192 * KiB);
  assert.equal(parts.receive.usedBytes, net.transports.filter(({ isDestroyed }) => !isDestroyed).length * 64 * KiB);
  for (const name of ['moved', 'send', 'codecPool', 'aside', 'producers', 'consumers'] as const)
    assert.equal(parts[name].usedBytes, 0, name);
});

test('while the application does not read, the sockets of further big frames are not read either, and later all is delivered', async () => {
  const frameBytes = MiB;
  const options = { spillBudgetBytes: 64 * KiB, responseRingBytes: 64 * KiB, receiveBudgetBytes: 2.5 * frameBytes };
  const brokers = start(6, options);
  net.app.isReading = false;
  const perBroker = 3;
  for (let i = 0; i < perBroker; i++) for (let id = 1; id <= brokers.length; id++) net.app.send(id, ListGroups, {});
  net.run();
  for (let i = 0; i < perBroker; i++) for (const broker of brokers) answer(broker, frameBytes);
  net.run();
  const { parts } = await memory();
  assert.ok(parts.receive.usedBytes > 2 * frameBytes, `${parts.receive.usedBytes} bytes of frames`);
  const heldBack = brokers.filter(({ transport }) => transport.unreadBytes > 0);
  assert.equal(heldBack.length, brokers.length, 'each has a second answer that nobody reads');
  const waiting = brokers.filter(({ transport }) => transport.unreadBytes > 2 * frameBytes);
  assert.ok(waiting.length >= 3, `${waiting.length} brokers wait for memory`);
  net.app.isReading = true;
  net.run();
  for (let i = 0; i < 100 && net.app.open > 0; i++) {
    await turn();
    net.advance(100);
  }
  assert.equal(net.app.count('succeeded'), perBroker * brokers.length);
  const after = await memory();
  assert.equal(after.parts.moved.usedBytes, 0);
});

test('while the application does not read, no request is overdue, whether its answer waits for the application or for memory', async () => {
  const frameBytes = MiB;
  const requestTimeoutMs = 5000;
  const blockedMs = 8 * requestTimeoutMs;
  const limits = { spillBudgetBytes: 64 * KiB, responseRingBytes: 64 * KiB, receiveBudgetBytes: 2.5 * frameBytes };
  const brokers = start(6, { ...limits, requestTimeoutMs, metadataMaxAgeMs: 10 * blockedMs });
  net.app.isReading = false;
  const answered = brokers.flatMap((_, i) => Array.from({ length: 3 }, () => net.app.send(i + 1, ListGroups, {})));
  const late = net.app.send(1, ListGroups, {});
  net.run();
  for (const broker of brokers) for (let i = 0; i < 3; i++) answer(broker, frameBytes);
  net.run();
  for (let passedMs = 0; passedMs < blockedMs; passedMs += 1000) net.advance(1000);
  net.app.isReading = true;
  net.run();
  for (let i = 0; i < 100 && net.app.open > 1; i++) {
    await turn();
    net.advance(1);
  }
  assert.deepEqual([...new Set(answered.map(({ state }) => state))], ['succeeded']);
  // Its broker may not know yet that there is room again.
  net.advance(blockedMs - 1000);
  assert.equal(late.state, 'open');
  net.advance(requestTimeoutMs + 1000);
  assert.equal(late.state, 'failed');
});

test('a broker that sends half of a big frame keeps others from the memory only until its request times out', async () => {
  const brokers = start(2, { receiveBudgetBytes: MiB, requestTimeoutMs: 5000 });
  const [stalled, other] = brokers;
  const lost = net.app.send(1, ListGroups, {});
  const fine = net.app.send(2, ListGroups, {}, { timeoutMs: 60_000 });
  net.run();
  stalled!.transport.send(Buffer.concat([int32(MiB), Buffer.alloc(1000)]));
  net.run();
  answer(other!, MiB / 2);
  net.run();
  assert.equal(fine.state, 'open');
  net.advance(5001);
  assert.equal(lost.state, 'failed');
  assert.equal(fine.state, 'succeeded');
  await memory();
});

test('requests to brokers that do not read are refused beyond the limit, and taken again when they read', async () => {
  const options = { requestRingBytes: 64 * KiB, spillBudgetBytes: 64 * KiB, codecPoolThreads: 0 };
  const brokers = start(2, options);
  for (const { transport } of brokers) transport.isBlocked = true;
  const groupId = 'x'.repeat(10 * KiB);
  const send = (id: number) => net.app.send(id, OffsetCommit, { groupId, topics: [] });
  const refused: Error[] = [];
  for (let i = 0; i < 20; i++) {
    const sent = send(1 + (i % 2));
    net.run();
    if (sent.state === 'failed') refused.push(sent.error);
  }
  assert.ok(refused.length > 0 && refused.length < 20, `${refused.length} refused`);
  for (const error of refused) {
    assert.ok(error instanceof NodeNotReadyError);
    assert.match(error.message, /bytes of requests wait for brokers that do not read/);
    assert.equal(error.retriable, true);
  }
  const { parts } = await memory();
  assert.ok(parts.send.usedBytes > 64 * KiB, `${parts.send.usedBytes} bytes wait`);
  for (const { transport } of brokers) transport.drain();
  net.run();
  for (const broker of brokers) while (broker.waiting.length > 0) broker.reply({ topics: [] });
  net.run();
  const again = send(1);
  net.run();
  brokers[0]!.reply({ topics: [] });
  net.run();
  assert.equal(again.state, 'succeeded');
});

test('responses to a thread that does not read are moved aside up to a limit, and then its connections are not read', async () => {
  const frameBytes = 256 * KiB;
  const [broker] = start(1, { spillBudgetBytes: 64 * KiB, responseRingBytes: 64 * KiB });
  const reader = net.attach();
  reader.isReading = false;
  const count = 8;
  for (let i = 0; i < count; i++) reader.send(1, ListGroups, {});
  net.run();
  for (let i = 0; i < count; i++) broker!.transport.send(responseFrame(broker!.next(), groupsOf(frameBytes)));
  net.run();
  const { parts } = await memory();
  assert.ok(parts.aside.usedBytes > 64 * KiB && parts.aside.usedBytes <= 4 * 64 * KiB + frameBytes + KiB);
  assert.ok(broker!.transport.unreadBytes > frameBytes, `${broker!.transport.unreadBytes} bytes are not read`);
  reader.isReading = true;
  net.run();
  for (let i = 0; i < 100 && reader.open > 0; i++) {
    await turn();
    net.advance(100);
  }
  assert.equal(reader.count('succeeded'), count);
});

function groupsOf(bytes: number): object {
  return { groups: Array.from({ length: bytes / KiB }, (_, i) => ({ groupId: `${i}`.padEnd(KiB, 'g') })) };
}
