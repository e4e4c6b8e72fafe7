// A network thread that was stopped, such as by SIGSTOP, or that was busy for long in one place: it reads what has come before it says that
// anything is overdue, and gives others the time that they had while it did nothing.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../src/common/config/config.ts';
import { RequestTimedOutError } from '../../../src/common/errors/errors.ts';
import { ListGroups } from '../../../src/protocol/flat/generated/apis.ts';
import { mainLane } from '../../../src/worker/client/broker-requests.ts';
import { FakeNetwork } from './support/fake-network.ts';
import { allRanges, type FakeBroker, responseFrame } from './support/fake-peer.ts';

const requestTimeoutMs = 5000;
const stoppedMs = 60_000;

let net: FakeNetwork;
let brokers: FakeBroker[];

function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', requestTimeoutMs, metadataMaxAgeMs: 1e7, ...options });
  net.broker('boot:9092');
  brokers = [net.broker('one:9092', 1), net.broker('two:9092', 2)];
  net.ready(1);
  net.ready(2);
}

afterEach(() => net.close());

test('roles see all that has come before they judge their own deadlines, whichever socket was read first', () => {
  start();
  const { requests } = net.thread.roleHost;
  const deadline = net.now + requestTimeoutMs / 2;
  let answered = 0;
  const judged: number[] = [];
  net.thread.roles.add({
    poll: (now) => {
      if (now >= deadline && judged.length === 0) judged.push(answered);
    },
    nextDeadline: () => (judged.length === 0 ? deadline : Number.POSITIVE_INFINITY),
  });
  for (const brokerId of [1, 2]) {
    const request = { to: { brokerId, lane: mainLane }, api: ListGroups, request: {}, timeoutMs: requestTimeoutMs };
    requests.send({ ...request, onResponse: () => void answered++, onFailure: assert.ifError }, net.now);
  }
  net.thread.loop.wake();
  net.run();
  for (const broker of brokers) broker.reply({ groups: [] });
  net.now += stoppedMs;
  net.advance(0);
  assert.deepEqual(judged, [2]);
});

test('an answer that had only begun to come when the thread was stopped has its time once more', () => {
  start();
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  const frame = responseFrame(brokers[0]!.next(), { groups: [{ groupId: 'whole' }] });
  brokers[0]!.transport.send(frame.subarray(0, 10));
  net.now += stoppedMs;
  net.advance(0);
  assert.equal(sent.state, 'open');
  brokers[0]!.transport.send(frame.subarray(10));
  net.run();
  assert.equal([...sent.view.groups][0]!.groupId, 'whole');
});

test('a broker that stays silent is given up when it has had its time once more', () => {
  start();
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  net.now += stoppedMs;
  net.advance(0);
  net.advance(requestTimeoutMs - 1);
  assert.equal(sent.state, 'open');
  net.advance(requestTimeoutMs + 1);
  assert.ok(sent.error instanceof RequestTimedOutError);
});

test('a connection that was being made has the rest of its time', () => {
  start();
  brokers[1]!.transport.end();
  net.run();
  brokers[1]!.answers = false;
  net.advance(2000);
  net.app.connect(2);
  net.run();
  const attempts = net.attempts.length;
  net.now += stoppedMs;
  net.advance(0);
  const apiKeys = [...allRanges()].map(([apiKey, { min, max }]) => ({ apiKey, minVersion: min, maxVersion: max }));
  brokers[1]!.reply({ apiKeys });
  net.run();
  assert.ok(net.app.isConnected(2));
  assert.equal(net.attempts.length, attempts);
});

test('brokers are not given up because none has answered a refresh while the thread was stopped', () => {
  start({ metadataRecoveryRebootstrapTriggerMs: 20_000, metadataMaxAgeMs: 1000 });
  for (const broker of brokers) broker.answers = false;
  net.advance(1000);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  net.now += stoppedMs;
  net.advance(0);
  assert.equal(sent.state, 'open');
  assert.ok(net.app.isConnected(1) && net.app.isConnected(2));
});
