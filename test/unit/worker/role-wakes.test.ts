// A role that calls `wake` in its own turn, or whose request ends in the turn of another, is called again without any other event.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { ListGroups } from '../../../src/protocol/flat/generated/apis.ts';
import { type BrokerRequest, mainLane } from '../../../src/worker/client/broker-requests.ts';
import type { Role } from '../../../src/worker/client/role.ts';
import { FakeNetwork } from './support/fake-network.ts';
import type { FakeBroker } from './support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

beforeEach(() => {
  net = new FakeNetwork({});
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.run();
});

afterEach(() => net.close());

/** A role without deadlines: only events and `wake` bring it a turn. */
function roleThat(poll: (turn: number) => void): Role & { turns: number } {
  const role = {
    turns: 0,
    poll: () => poll(++role.turns),
    nextDeadline: () => Number.POSITIVE_INFINITY,
  };
  net.thread.roles.add(role);
  return role;
}

const to = { brokerId: 1, lane: mainLane };

function request(onFailure: (error: Error) => void): BrokerRequest<unknown, unknown> {
  const answered = (): void => {};
  return { to, api: ListGroups, request: {}, timeoutMs: 30_000, onResponse: answered, onFailure } as never;
}

test('a role that calls wake in its own turn has another turn', () => {
  const { roleHost } = net.thread;
  const role = roleThat((turn) => {
    if (turn === 1) roleHost.wake();
  });
  roleHost.wake();
  net.run();
  assert.equal(role.turns, 2);
});

test('a role has another turn when a later one wakes it', () => {
  const { roleHost } = net.thread;
  const first = roleThat(() => {});
  roleThat((turn) => {
    if (turn === 1) roleHost.wake();
  });
  roleHost.wake();
  net.run();
  assert.equal(first.turns, 2);
});

test('a role has another turn when a later one ends the connection that its request was sent on', () => {
  const { roleHost } = net.thread;
  const failures: string[] = [];
  let turnsAtFailure = 0;
  const first = roleThat((turn) => {
    if (turn !== 1) return;
    roleHost.requests.send(
      request(({ message }) => {
        failures.push(message);
        turnsAtFailure = first.turns;
      }),
      net.now,
    );
  });
  roleThat((turn) => {
    if (turn === 1) roleHost.requests.disconnect(to, new Error('enough of it'), net.now);
  });
  roleHost.wake();
  net.run();
  assert.equal(failures.length, 1);
  assert.ok(first.turns > turnsAtFailure, 'it sees that its request has failed');
});

test('a role that sends a request in its turn has the next one when the answer comes', () => {
  const { roleHost } = net.thread;
  const role = roleThat((turn) => {
    if (turn === 1) roleHost.requests.send(request(assert.fail), net.now);
  });
  roleHost.wake();
  net.run();
  assert.equal(role.turns, 1);
  broker.reply({ groups: [] });
  net.run();
  assert.equal(role.turns, 2);
});
