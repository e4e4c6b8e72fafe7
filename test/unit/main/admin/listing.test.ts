// What calls that list answer: a promise, which can be iterated.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Listing } from '../../../../src/main/admin/listing.ts';

const answer = { items: [1, 2, 3], errors: new Map([[7, new Error('down')]]) };
const listed = (): Listing<typeof answer, number> => new Listing(Promise.resolve(answer), ({ items }) => items);

test('awaiting gives everything, and for await the items', async () => {
  assert.equal(await listed(), answer);
  const found: number[] = [];
  for await (const item of listed()) found.push(item);
  assert.deepEqual(found, [1, 2, 3]);
});

test('one answer serves both', async () => {
  const both = listed();
  for await (const item of both) if (item === 2) break;
  assert.equal((await both).errors.size, 1);
});

test('an error rejects both', async () => {
  const failed = (): Listing<typeof answer, number> => {
    return new Listing(Promise.reject<typeof answer>(new Error('no')), ({ items }) => items);
  };
  await assert.rejects(failed(), /no/);
  await assert.rejects(async () => {
    for await (const _ of failed()) assert.fail('nothing was listed');
  }, /no/);
});

test('what follows by then is an ordinary promise', () => {
  const next = listed().then(({ items }) => items.length);
  assert.ok(next instanceof Promise && !(next instanceof Listing));
});
