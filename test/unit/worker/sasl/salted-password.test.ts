import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import { keepLast, type Salting, saltInSlices, saltPassword } from '../../../../src/worker/sasl/salted-password.ts';

const salting = (hash: Salting['hash'], iterations: number): Salting => ({
  hash,
  password: 'pass word é',
  salt: Buffer.from('salt'),
  iterations,
});

const expected = ({ hash, password, salt, iterations }: Salting): string =>
  pbkdf2Sync(password, salt, iterations, hash === 'sha256' ? 32 : 64, hash).toString('hex');

test('the salted password is the same in every way of computing it', async () => {
  for (const hash of ['sha256', 'sha512'] as const) {
    for (const iterations of [1, 2, 4096, 8193]) {
      const given = salting(hash, iterations);
      assert.equal((await saltPassword(given)).toString('hex'), expected(given));
      assert.equal((await saltInSlices(given)).toString('hex'), expected(given));
    }
  }
});

test('one result serves all logins with the same salt, also while it is computed, and a failure is not kept', async () => {
  let count = 0;
  const fails = new Set([3]);
  const kept = keepLast(async (given) => {
    if (fails.has(++count)) throw new Error('no memory');
    return Buffer.from(String(given.iterations));
  });
  const [first, second] = await Promise.all([kept(salting('sha256', 4096)), kept(salting('sha256', 4096))]);
  assert.equal(first, second);
  assert.equal(String(await kept(salting('sha256', 8192))), '8192');
  assert.equal(count, 2);
  await assert.rejects(kept(salting('sha512', 8192)), /no memory/);
  assert.equal(String(await kept(salting('sha512', 8192))), '8192');
  assert.equal(count, 4);
});
