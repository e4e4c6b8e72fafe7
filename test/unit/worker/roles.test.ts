// The list of roles: whose turn waits until more was read.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Roles } from '../../../src/worker/roles.ts';

let polled: string[];
let deadline: number;
let roles: Roles;

/** A role with that deadline, and one without any. Both were called at 1000. */
beforeEach(() => {
  polled = [];
  deadline = 2000;
  roles = new Roles({ poll: () => {}, sentCount: 0, wake: () => {} });
  roles.add({ poll: (now) => polled.push(`limited ${now}`), nextDeadline: () => deadline });
  roles.add({ poll: (now) => polled.push(`free ${now}`), nextDeadline: () => Number.POSITIVE_INFINITY });
  roles.poll(1000, 0);
  roles.nextDeadline(1000);
  polled = [];
});

test('before its deadline a role is called, whatever was read', () => {
  roles.poll(1999, 0);
  assert.deepEqual([polled, roles.isHeldBack], [['limited 1999', 'free 1999'], false]);
});

test('when its deadline has passed a role is called after everything was read that had come by then, and others at once', () => {
  roles.poll(2000, 1999);
  assert.deepEqual([polled, roles.isHeldBack, roles.nextDeadline(2000)], [['free 2000'], true, 2000]);
  roles.poll(2001, 1999);
  assert.deepEqual([polled.length, roles.isHeldBack, roles.nextDeadline(2001)], [2, true, 2000]);
  roles.poll(2002, 2000);
  assert.deepEqual([polled.slice(2), roles.isHeldBack], [['limited 2002', 'free 2002'], false]);
});

test('a role that is due at once, although it was just called, is called in the next round', () => {
  deadline = 1000;
  roles.poll(1000, 0);
  assert.equal(roles.nextDeadline(1000), 1000);
  roles.poll(1001, 0);
  assert.deepEqual(polled.slice(2), ['limited 1001', 'free 1001']);
});

test('when a role that was held back has gone, nothing is held back', () => {
  const role = { poll: () => {}, nextDeadline: () => 2000 };
  const alone = new Roles({ poll: () => {}, sentCount: 0, wake: () => {} });
  alone.add(role);
  alone.poll(1000, 0);
  alone.nextDeadline(1000);
  alone.poll(2000, 1999);
  assert.equal(alone.isHeldBack, true);
  alone.delete(role);
  assert.deepEqual([alone.isHeldBack, alone.isEmpty], [false, true]);
});

test('a role that is new is called in the next round', () => {
  roles.add({ poll: (now) => polled.push(`new ${now}`), nextDeadline: () => 0 });
  roles.poll(1500, 0);
  assert.deepEqual(polled, ['limited 1500', 'free 1500', 'new 1500']);
});
