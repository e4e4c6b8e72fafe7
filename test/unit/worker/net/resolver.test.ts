// Name look-ups when the thread pool of the process has no free thread.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { addressesInHosts, fullNames } from '../../../../src/worker/net/name-servers.ts';
import { lookupFor, Resolver } from '../../../../src/worker/net/resolver.ts';

type Answer = (error: Error | null, addresses: readonly string[]) => void;

/** A resolver whose look-ups, name servers and clock are the test's. */
function harness(beside: (host: string) => Promise<readonly string[]> = async () => []) {
  const lookups: { host: string; answer: Answer }[] = [];
  const timers: (() => void)[] = [];
  const asked: string[] = [];
  const resolver = new Resolver({
    lookup: (host, answer) => lookups.push({ host, answer }),
    lookUpBesidePool: (host) => {
      asked.push(host);
      return beside(host);
    },
    delay: (_ms, work) => timers.push(work),
  });
  const outcomes: string[] = [];
  return {
    lookups,
    asked,
    outcomes,
    resolve: (host: string) =>
      resolver.resolve(host, (error, addresses) => outcomes.push(error?.message ?? addresses.join())),
    late: () => {
      for (const work of timers.splice(0)) work();
    },
    settled: async () => {
      for (let i = 0; i < 10; i++) await null;
    },
  };
}

describe('a look-up', () => {
  test('in time gives the answer, and nothing else is asked', async () => {
    const { resolve, lookups, late, outcomes, asked, settled } = harness();
    resolve('a');
    lookups[0]!.answer(null, ['10.0.0.1', '10.0.0.2']);
    late();
    await settled();
    assert.deepEqual([outcomes, asked], [['10.0.0.1,10.0.0.2'], []]);
  });

  test('of an address ends at once', () => {
    const { resolve, lookups, outcomes } = harness();
    resolve('::1');
    assert.deepEqual([outcomes, lookups], [['::1'], []]);
  });

  test('that is late gives the last known addresses, and later callers get them at once', async () => {
    const { resolve, lookups, late, outcomes, asked } = harness();
    resolve('a');
    lookups[0]!.answer(null, ['10.0.0.1']);
    late();
    resolve('a');
    assert.equal(outcomes.length, 1);
    late();
    assert.deepEqual(outcomes.slice(1), ['10.0.0.1']);
    resolve('a');
    assert.deepEqual(outcomes.slice(2), ['10.0.0.1']);
    assert.equal(lookups.length, 2, 'one look-up of a name at a time');
    // Its answer is for the next, and for nobody a second time.
    lookups[1]!.answer(null, ['10.0.0.9']);
    assert.equal(outcomes.length, 3);
    resolve('a');
    late();
    assert.deepEqual(outcomes.slice(3), ['10.0.0.9']);
    assert.deepEqual(asked, []);
  });

  test('that is late for an unknown name asks the name servers too, and the first answer counts', async () => {
    const { resolve, lookups, late, outcomes, settled } = harness(async () => ['10.0.0.5']);
    resolve('a');
    late();
    await settled();
    assert.deepEqual(outcomes, ['10.0.0.5']);
    lookups[0]!.answer(null, ['10.0.0.6']);
    assert.deepEqual(outcomes, ['10.0.0.5']);
  });

  test('that nothing else can answer waits for the system, whose error is given', async () => {
    for (const beside of [async () => [], () => Promise.reject(new Error('no name server'))]) {
      const { resolve, lookups, late, outcomes, settled } = harness(beside);
      resolve('a');
      late();
      await settled();
      assert.deepEqual(outcomes, []);
      lookups[0]!.answer(new Error('ENOTFOUND'), []);
      assert.deepEqual(outcomes, ['ENOTFOUND']);
    }
  });

  test('without an end keeps a bounded number of waiting callers', async () => {
    const { resolve, lookups, outcomes } = harness();
    for (let i = 0; i < 5000; i++) resolve('a');
    lookups[0]!.answer(null, ['10.0.0.1']);
    assert.equal(outcomes.length, 1000);
  });
});

test('sockets of Node get all addresses, one, or the reason', () => {
  const lookup = lookupFor((host, callback) =>
    host === 'no' ? callback(new Error('ENOTFOUND'), []) : callback(null, ['10.0.0.1', '::1']),
  );
  const seen: unknown[] = [];
  lookup('a', { all: true }, (...args) => seen.push(args));
  lookup('a', {}, (...args) => seen.push(args));
  lookup('no', {}, (error) => seen.push(error?.message));
  assert.deepEqual(seen, [
    [
      null,
      [
        { address: '10.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ],
    ],
    [null, '10.0.0.1', 4],
    'ENOTFOUND',
  ]);
});

test('a hosts file is read as the system reads it', () => {
  const hosts =
    '127.0.0.1 localhost\n# 10.0.0.1 broker\n10.0.0.2\tbroker broker.test # 10.0.0.3 broker\nfe80::1 BROKER\nx broker';
  assert.deepEqual(addressesInHosts(hosts, 'broker'), ['10.0.0.2', 'fe80::1']);
  assert.deepEqual(addressesInHosts(hosts, 'Broker.Test.'), ['10.0.0.2']);
  assert.deepEqual(addressesInHosts(hosts, 'other'), []);
});

test('names are completed by the search list, after the plain name if they have ndots dots, and else before', () => {
  const conf =
    '# search x\nnameserver 10.0.0.1\nsearch kafka.svc.cluster.local svc.cluster.local.\noptions ndots:5 timeout:1\n';
  assert.deepEqual(fullNames(conf, 'b-0.kafka'), [
    'b-0.kafka.kafka.svc.cluster.local',
    'b-0.kafka.svc.cluster.local',
    'b-0.kafka',
  ]);
  assert.deepEqual(fullNames(conf, 'b-0.kafka.'), ['b-0.kafka']);
  assert.deepEqual(fullNames('search a.test', 'b.c'), ['b.c', 'b.c.a.test']);
  assert.deepEqual(fullNames('', 'b'), ['b']);
});
