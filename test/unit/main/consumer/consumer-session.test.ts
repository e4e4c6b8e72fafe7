// The parts of a consumer in its own thread: what the network thread is told by polls, and by a close that comes behind many calls.

import assert from 'node:assert/strict';
import { after, afterEach, mock, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { parseConsumerConfig } from '../../../../src/common/config/consumer-config-parser.ts';
import type { ConsumerCall } from '../../../../src/common/consumer-calls.ts';
import { ConsumerSession } from '../../../../src/main/consumer/consumer-session.ts';
import type { ClientHost } from '../../../../src/main/link/client-host.ts';
import { type NetworkEnd, openNetworkEnd } from '../../../../src/ring/attachment.ts';
import { createDoorbell } from '../../../../src/ring/doorbell.ts';
import {
  consumerAnswerFrame,
  consumerRaiseFrame,
  takeConsumerCall,
} from '../../../../src/ring/frames/consumer-frames.ts';
import { writeFrame } from '../../../../src/ring/frames/frame.ts';
import { BatchTableOwner } from '../../../../src/state/batch-table.ts';
import { createCounters } from '../../../../src/state/counters.ts';
import type { OpeningConsumer } from '../../../../src/worker/link/consumer-links.ts';

interface Opened {
  readonly session: ConsumerSession;
  readonly network: NetworkEnd;
  readonly table: BatchTableOwner;
}

const unexpected = (): never => assert.fail('not expected here');

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** @param catchUp what the network thread does when it reads all that has come */
async function open(catchUp: () => void = unexpected): Promise<Opened> {
  let opening: OpeningConsumer | undefined;
  const host: ClientHost = {
    networkDoorbell: createDoorbell(),
    countersMemory: createCounters(),
    metricsOrigin: { clientId: 'c', metrics: false },
    callWith: <Argument, T>(_run: unknown, argument: Argument): Promise<T> => {
      opening = argument as unknown as OpeningConsumer;
      return Promise.resolve(7 as T);
    },
    ...{ hold: () => {}, release: () => {}, addRole: () => {}, removeRole: () => {}, callbackThrew: unexpected },
    catchUp: async () => catchUp(),
    ...{ share: unexpected, partitionCount: unexpected, learnTopic: unexpected, log: unexpected },
  };
  const session = await ConsumerSession.open(host, parseConsumerConfig({}), () => {});
  const network = openNetworkEnd(opening!.link);
  after(() => {
    session.onThreadLost(new Error('over'));
    network.close();
  });
  return { session, network, table: new BatchTableOwner(opening!.table) };
}

/** Reads the calls that have come, and answers them. */
function answer({ requests, responses, applicationDoorbell }: NetworkEnd): ConsumerCall[] {
  const calls: ConsumerCall[] = [];
  while (requests.next()) {
    const { callId, call } = takeConsumerCall(requests);
    calls.push(call);
    assert.ok(writeFrame(responses, consumerAnswerFrame({ callId, answer: null })));
  }
  applicationDoorbell.notify();
  return calls;
}

test('close waits for room behind calls that fill the link, and the network thread is told how to close', async () => {
  const { session, network } = await open();
  const resume: ConsumerCall = { op: 'resume', partitions: null };
  while (!session.callThen(resume, () => null).failed);
  let isClosed = false;
  const closed = session.close(60_000, 'remain').then(() => {
    isClosed = true;
  });
  await setImmediate();
  assert.ok(!isClosed, 'the network thread has read nothing');
  let last: ConsumerCall | undefined;
  while (last?.op !== 'close') {
    last = answer(network).at(-1) ?? last;
    await setImmediate();
  }
  assert.equal(last.leave, 'remain');
  await closed;
});

test('a second close may only be sooner, and both end with the consumer', async () => {
  const { session, network } = await open();
  const first = session.close(60_000, 'remain');
  session.close(120_000, 'remain');
  const second = session.close(5000, 'default');
  assert.equal(first, second);
  const calls = answer(network);
  assert.deepEqual(
    calls.map((call) => call.op === 'close' && call.timeoutMs),
    [60_000, 5000],
  );
  await first;
});

test('a call that was answered when the time of a close is over has its answer', async () => {
  const { session, network } = await open();
  mock.timers.enable({ apis: ['setTimeout'] });
  const call = session.callThen({ op: 'resume', partitions: null }, () => 'answered');
  const closed = session.close(1000, 'remain');
  answer(network);
  mock.timers.tick(3000);
  await closed;
  assert.equal(await call, 'answered');
});

test('a close in a process that was stopped for longer than its time waits until the network thread has read', async () => {
  const { session, network } = await open(() => void answer(network));
  mock.timers.enable({ apis: ['setTimeout'] });
  const call = session.callThen({ op: 'resume', partitions: null }, () => 'answered');
  const closed = session.close(1000, 'remain');
  const now = performance.now.bind(performance);
  mock.method(performance, 'now', () => now() + 10_000);
  mock.timers.tick(3000);
  await closed;
  assert.equal(await call, 'answered');
});

test('a poll that fails at once does not count as one that waits', async () => {
  const { session, network, table } = await open();
  const error = { name: 'GroupFatalError', message: 'the group is gone', code: 'KAFKA_GROUP_FATAL' };
  assert.ok(writeFrame(network.responses, consumerRaiseFrame({ error, place: null, ticket: null, returns: 0 })));
  await assert.rejects(session.poll(60_000, null), /the group is gone/);
  assert.ok(!table.isWaiting);
  const waiting = session.poll(60_000, null);
  // A poll may let the event loop run before it asks.
  while (!table.isWaiting) await setImmediate();
  await session.poll(0, null);
  assert.ok(table.isWaiting, 'the other poll waits');
  session.onThreadLost(new Error('over'));
  await assert.rejects(waiting, /over/);
  assert.ok(!table.isWaiting);
});
