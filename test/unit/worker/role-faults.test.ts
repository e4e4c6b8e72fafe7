// A role that throws in its turn ends alone: its threads are told, and the network thread goes on for everybody else.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import { ListGroups } from '../../../src/protocol/flat/generated/apis.ts';
import { consumerCallFrame } from '../../../src/ring/frames/consumer-frames.ts';
import { writeFrame } from '../../../src/ring/frames/frame.ts';
import { ConsumerSnapshotWriter } from '../../../src/state/consumer-snapshot.ts';
import type { Role, RoleHost } from '../../../src/worker/client/role.ts';
import { FakeNetwork } from './support/fake-network.ts';
import type { FakeBroker } from './support/fake-peer.ts';
import { openConsumerLink, openProducerLink } from './support/role-links.ts';

let net: FakeNetwork;
let broker: FakeBroker;
const ports: MessagePort[] = [];

beforeEach(() => {
  net = new FakeNetwork({});
  broker = net.broker('one:9092', 1);
  net.ready(1);
});

afterEach(async () => {
  for (const port of ports.splice(0)) port.close();
  await net.close();
});

/** Requests are answered, and nothing more is asked of what has failed. */
function othersWork(): void {
  assert.deepEqual([net.fatal, net.broken], [[], []]);
  for (let i = 0; i < 2; i++) {
    const sent = net.app.send(1, ListGroups, {});
    net.run();
    broker.reply({ groups: [] });
    net.run();
    assert.equal(sent.state, 'succeeded');
  }
}

test('a role that throws is reported once and no longer called, and other roles go on', () => {
  const failures: string[] = [];
  let turns = 0;
  let calls = 0;
  const bad: Role = {
    poll: () => {
      calls++;
      throw Object.create(null);
    },
    nextDeadline: () => Number.POSITIVE_INFINITY,
    fail: (error) => failures.push(error.message),
  };
  const good: Role = { poll: () => void turns++, nextDeadline: () => Number.POSITIVE_INFINITY };
  net.thread.roles.add(bad);
  net.thread.roles.add(good);
  net.thread.roleHost.wake();
  net.run();
  othersWork();
  assert.equal(calls, 1);
  assert.ok(turns > 1);
  assert.equal(failures.length, 1);
});

test('a consumer without memory for its state ends with a reason', async (t) => {
  const { end, told } = await openConsumerLink(net.control, ports);
  t.mock.method(ConsumerSnapshotWriter.prototype, 'write', () => {
    throw new RangeError('Array buffer allocation failed');
  });
  // Its state has changed.
  const call = { op: 'pause', partitions: null } as const;
  assert.ok(writeFrame(end.requests, consumerCallFrame({ callId: 1, call })));
  net.thread.loop.wake();
  net.advance(1000);
  assert.match(JSON.stringify(told()), /NetworkThreadError.*the consumer has ended by a fault/);
  othersWork();
  end.close();
});

test('a producer that throws ends with a reason', async () => {
  const host = net.thread.roleHost as { wallClock: RoleHost['wallClock'] };
  const { wallClock } = host;
  host.wallClock = () => {
    throw new RangeError('Array buffer allocation failed');
  };
  const { end, told } = await openProducerLink(net.control, ports);
  net.thread.roleHost.wake();
  net.run();
  host.wallClock = wallClock;
  assert.match(JSON.stringify(told()), /NetworkThreadError.*the producer has ended by a fault.*allocation failed/);
  othersWork();
  end.close();
});
