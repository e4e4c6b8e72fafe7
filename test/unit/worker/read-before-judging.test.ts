// A deadline is judged only when everything was read that had come before it, also when the thread was late by less than matters to others,
// as after a garbage collection or a big decompression: the answer may lie in a socket that was not read since.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { RequestTimedOutError } from '../../../src/common/errors/errors.ts';
import { ListGroups } from '../../../src/protocol/flat/generated/apis.ts';
import { mainLane } from '../../../src/worker/client/broker-requests.ts';
import { FakeNetwork } from './support/fake-network.ts';
import type { FakeBroker } from './support/fake-peer.ts';

const limitMs = 5000;
const pauseMs = 80;

let net: FakeNetwork;
let brokers: FakeBroker[];

beforeEach(() => {
  net = new FakeNetwork({ requestTimeoutMs: limitMs, metadataMaxAgeMs: 1e7 });
  brokers = [net.broker('one:9092', 1), net.broker('two:9092', 2)];
  net.ready(1);
  net.ready(2);
});

afterEach(() => net.close());

/** A role with a limit, that asked both brokers. @returns how many answers it had when it found that its limit was over */
function limitedRole(): number[] {
  const { requests } = net.thread.roleHost;
  const deadline = net.now + limitMs;
  const judged: number[] = [];
  let answered = 0;
  net.thread.roles.add({
    poll: (now) => {
      if (now >= deadline && judged.length === 0) judged.push(answered);
    },
    nextDeadline: () => (judged.length === 0 ? deadline : Number.POSITIVE_INFINITY),
  });
  for (const brokerId of [1, 2]) {
    const request = { to: { brokerId, lane: mainLane }, api: ListGroups, request: {}, timeoutMs: 2 * limitMs };
    requests.send({ ...request, onResponse: () => void answered++, onFailure: assert.ifError }, net.now);
  }
  net.thread.loop.wake();
  net.advance(limitMs - pauseMs);
  assert.deepEqual(judged, []);
  return judged;
}

function answers(): void {
  for (const broker of brokers) broker.reply({ groups: [] });
}

test('a role whose timer fires late has the answers that came before', () => {
  const judged = limitedRole();
  answers();
  net.now += 2 * pauseMs;
  net.timers.fireDue();
  net.run();
  assert.deepEqual(judged, [2]);
});

test('a role whose limit passes has the answers of all sockets, whichever was read first', () => {
  const judged = limitedRole();
  answers();
  net.now += 2 * pauseMs;
  net.run();
  assert.deepEqual(judged, [2]);
});

test('a role whose limit passes while sockets are read has the answers that came meanwhile', () => {
  const judged = limitedRole();
  const { loop } = net.thread;
  net.later(() => {
    net.now += 2 * pauseMs;
    // They come after this pass over the sockets has begun.
    answers();
    loop.wake();
    net.timers.runDeferred();
    net.timers.runImmediates();
    assert.deepEqual(judged, []);
  });
  net.run();
  assert.deepEqual(judged, [2]);
});

test('a role with a limit that nothing meets is told of it by one turn', () => {
  const judged = limitedRole();
  const { turns } = net;
  net.advance(pauseMs);
  assert.deepEqual(judged, [0]);
  assert.equal(net.turns, turns + 1);
  answers();
});

test('a request of the application whose limit passes while sockets are read has the answer that came meanwhile', () => {
  const sent = net.app.send(1, ListGroups, {});
  net.advance(limitMs - pauseMs);
  const { loop } = net.thread;
  net.later(() => {
    net.now += 2 * pauseMs;
    brokers[0]!.reply({ groups: [] });
    loop.wake();
    net.timers.runDeferred();
    net.timers.runImmediates();
    assert.equal(sent.state, 'open');
  });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('a request that has no answer fails when its limit is over, and not before', () => {
  const sent = net.app.send(1, ListGroups, {});
  net.advance(limitMs - 1);
  assert.equal(sent.state, 'open');
  net.advance(1);
  assert.ok(sent.error instanceof RequestTimedOutError);
});
