// The table of batches that an application thread has: who has a batch, what is done, and that late marks do not affect another batch.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BatchTableOwner,
  BatchTableUser,
  createBatchTable,
  markOf,
  offsetsOf,
} from '../../../src/state/batch-table.ts';

function ends(places: number): { owner: BatchTableOwner; user: BatchTableUser } {
  const buffer = createBatchTable(places);
  return { owner: new BatchTableOwner(buffer), user: new BatchTableUser(buffer) };
}

test('a batch is taken once, marked up to its end, and its place serves another', () => {
  const { owner, user } = ends(1);
  const { place, serial } = owner.post()!;
  assert.equal(owner.post(), null);
  assert.ok(user.take(place, serial));
  assert.ok(!user.take(place, serial));
  assert.ok(user.isHeld(place, serial));
  assert.ok(user.mark(place, serial, 5));
  assert.ok(user.mark(place, serial, 3), 'fewer than before is no mark');
  assert.equal(owner.done(place), 5);
  owner.free(place);
  assert.equal(owner.freePlaces, 1);
});

test('a mark for a place that has another batch changes no batch', () => {
  const { owner, user } = ends(1);
  const first = owner.post()!;
  user.take(first.place, first.serial);
  owner.giveUp(first.place);
  owner.free(first.place);
  const second = owner.post()!;
  assert.equal(second.place, first.place);
  user.take(second.place, second.serial);
  assert.ok(!user.mark(first.place, first.serial, 9));
  assert.ok(!user.isHeld(first.place, first.serial));
  assert.equal(owner.done(second.place), 0);
  user.giveBack(first.place, first.serial);
  assert.ok(!owner.isReturned(second.place));
});

test('serials wrap: each batch is taken and marked, and late marks of the place still change nothing', () => {
  const buffer = createBatchTable(1);
  const [owner, user] = [new BatchTableOwner(buffer, 2 ** 29 - 3), new BatchTableUser(buffer)];
  let before: { readonly place: number; readonly serial: number } | null = null;
  for (const serial of [2 ** 29 - 2, 2 ** 29 - 1, 0, 1]) {
    const posted = owner.post()!;
    assert.equal(posted.serial, serial);
    assert.ok(user.take(posted.place, posted.serial));
    assert.ok(user.isHeld(posted.place, posted.serial));
    if (before !== null) assert.ok(!user.mark(before.place, before.serial, 9), `late, in ${serial}`);
    assert.ok(user.mark(posted.place, posted.serial, 5));
    assert.equal(owner.done(posted.place), 5);
    owner.free(posted.place);
    before = posted;
  }
});

test('all of a batch is done when its application says so, although its offsets span more than 32 bits', () => {
  for (const span of [1, 2 ** 32 - 2, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 40]) {
    const { owner, user } = ends(1);
    const { place, serial } = owner.post()!;
    user.take(place, serial);
    const doneAt = (done: number): bigint => {
      assert.ok(user.mark(place, serial, markOf(done, span)));
      return offsetsOf(owner.done(place), BigInt(span));
    };
    const part = doneAt(span - 1);
    assert.ok(part < BigInt(span) && part <= BigInt(span - 1), `${part} of ${span}`);
    if (span < 2 ** 32) assert.equal(part, BigInt(span - 1));
    assert.equal(doneAt(span), BigInt(span));
  }
});

test('marks count before a batch is given up, and not after that', () => {
  const { owner, user } = ends(2);
  const { place, serial } = owner.post()!;
  user.take(place, serial);
  assert.ok(user.mark(place, serial, 2 ** 31 + 7), 'marks are uint32');
  owner.giveUp(place);
  assert.ok(!user.mark(place, serial, 2 ** 31 + 8));
  assert.equal(owner.done(place), 2 ** 31 + 7);
});

test('only a batch that was not taken can be withdrawn, and then it cannot be taken', () => {
  const { owner, user } = ends(2);
  const first = owner.post()!;
  const second = owner.post()!;
  user.take(first.place, first.serial);
  assert.ok(!owner.withdraw(first.place));
  assert.ok(owner.withdraw(second.place));
  assert.ok(!user.take(second.place, second.serial));
});

test('a returned batch is seen as returned, with its done records', () => {
  const { owner, user } = ends(1);
  const { place, serial } = owner.post()!;
  user.take(place, serial);
  user.mark(place, serial, 4);
  user.giveBack(place, serial);
  assert.ok(owner.isReturned(place));
  assert.equal(owner.done(place), 4);
  assert.ok(!user.mark(place, serial, 5));
});

test('the owner sees each change once', () => {
  const { owner, user } = ends(1);
  owner.see();
  assert.equal(owner.lastAskedAt(1000), null);
  user.asked(1234.5, true);
  assert.ok(owner.hasChanged());
  assert.equal(owner.lastAskedAt(2000.5), 1234.5);
  assert.equal(owner.lastAskedAt(9000), 1234.5, 'it has not asked again');
  assert.ok(owner.isWaiting);
  owner.see();
  assert.ok(!owner.hasChanged());
  user.stoppedWaiting(2000);
  assert.ok(!owner.isWaiting);
});

test('a reader that has not asked for weeks is not taken for one that has just asked, although 32 bits of a time wrap', () => {
  const day = 24 * 60 * 60 * 1000;
  for (const start of [0, 2 ** 31 - 5000, 2 ** 32 - 5000, 2 ** 33 + 17]) {
    const { owner, user } = ends(1);
    user.asked(start, false);
    for (let days = 0; days <= 100; days += 10) assert.equal(owner.lastAskedAt(start + days * day), start);
    const again = start + 100 * day;
    user.asked(again, false);
    assert.equal(owner.lastAskedAt(again + 10), again);
    // The clock of another thread is ahead for a moment.
    user.asked(again + 20, false);
    assert.equal(owner.lastAskedAt(again + 15), again + 15);
  }
});
