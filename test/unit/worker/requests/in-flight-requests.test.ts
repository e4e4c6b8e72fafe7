import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InFlightRequests } from '../../../../src/worker/requests/in-flight-requests.ts';
import type { InFlightRequest } from '../../../../src/worker/requests/request-owner.ts';
import { Random } from '../../ring/support/random.ts';

function request(requestId: number, deadline: number, isInternal = false): InFlightRequest {
  return { requestId, deadline, owner: { isInternal } } as unknown as InFlightRequest;
}

function ids(requests: readonly InFlightRequest[]): number[] {
  return requests.map(({ requestId }) => requestId);
}

test('requests come out oldest first, and internal requests are counted separately', () => {
  const inFlight = new InFlightRequests();
  assert.equal(inFlight.size, 0);
  assert.equal(inFlight.oldest, undefined);
  inFlight.add(request(1, 10));
  inFlight.add(request(2, 10, true));
  inFlight.add(request(3, 10));
  assert.equal(inFlight.size, 3);
  assert.equal(inFlight.internalCount, 1);
  assert.equal(inFlight.oldest!.requestId, 1);
  assert.equal(inFlight.shift().requestId, 1);
  assert.equal(inFlight.shift().requestId, 2);
  assert.equal(inFlight.internalCount, 0);
  assert.equal(inFlight.oldest!.requestId, 3);
});

test('the earliest deadline is found in any order', () => {
  const inFlight = new InFlightRequests();
  assert.equal(inFlight.earliestDeadline, Number.POSITIVE_INFINITY);
  for (const [requestId, deadline] of [
    [1, 50],
    [2, 20],
    [3, 90],
  ]) {
    inFlight.add(request(requestId!, deadline!));
  }
  assert.equal(inFlight.earliestDeadline, 20);
  inFlight.shift();
  assert.equal(inFlight.earliestDeadline, 20);
  inFlight.shift();
  assert.equal(inFlight.earliestDeadline, 90);
  inFlight.shift();
  assert.equal(inFlight.earliestDeadline, Number.POSITIVE_INFINITY);
});

test('expired gives the oldest one that is overdue, not the most overdue', () => {
  const inFlight = new InFlightRequests();
  inFlight.add(request(1, 100));
  inFlight.add(request(2, 30));
  inFlight.add(request(3, 20));
  assert.equal(inFlight.expired(19), undefined);
  assert.equal(inFlight.expired(20)!.requestId, 3);
  assert.equal(inFlight.expired(30)!.requestId, 2);
  assert.equal(inFlight.expired(100)!.requestId, 1);
});

test('extending moves every deadline', () => {
  const inFlight = new InFlightRequests();
  inFlight.add(request(1, 100));
  inFlight.add(request(2, 50));
  inFlight.extendDeadlines(25);
  assert.equal(inFlight.earliestDeadline, 75);
  assert.equal(inFlight.expired(74), undefined);
  assert.equal(inFlight.expired(75)!.requestId, 2);
  assert.equal(inFlight.expired(125)!.requestId, 1);
});

test('drain takes all, oldest first, and the table can be used again', () => {
  const inFlight = new InFlightRequests();
  for (let i = 1; i <= 4; i++) inFlight.add(request(i, i, true));
  inFlight.shift();
  assert.deepEqual(ids(inFlight.drain()), [2, 3, 4]);
  assert.equal(inFlight.size, 0);
  assert.equal(inFlight.internalCount, 0);
  assert.equal(inFlight.earliestDeadline, Number.POSITIVE_INFINITY);
  assert.deepEqual(inFlight.drain(), []);
  inFlight.add(request(9, 5));
  assert.equal(inFlight.oldest!.requestId, 9);
});

test('remove takes any request once', () => {
  const inFlight = new InFlightRequests();
  const all = [request(1, 10), request(2, 5, true), request(3, 20)];
  for (const one of all) inFlight.add(one);
  assert.equal(inFlight.remove(all[1]!), true);
  assert.equal(inFlight.remove(all[1]!), false);
  assert.equal(inFlight.internalCount, 0);
  assert.equal(inFlight.earliestDeadline, 10);
  inFlight.shift();
  assert.equal(inFlight.remove(all[0]!), false, 'shifted before');
  assert.deepEqual(ids(inFlight.drain()), [3]);
});

test('thousands of requests pass in order', () => {
  const inFlight = new InFlightRequests();
  let next = 0;
  let expected = 0;
  for (let round = 0; round < 2000; round++) {
    for (let i = 0; i < round % 7; i++) inFlight.add(request(next, 1000 + next++));
    for (let i = 0; i < round % 5 && inFlight.size > 0; i++) {
      assert.equal(inFlight.earliestDeadline, 1000 + expected);
      assert.equal(inFlight.shift().requestId, expected++);
    }
    assert.equal(inFlight.size, next - expected);
  }
  assert.ok(expected > 3000);
});

const limits: Readonly<Record<string, (i: number) => number>> = {
  'one limit': (i) => i,
  'two limits by turns': (i) => i + (i % 2) * 30_000,
  'ever shorter limits': (i) => 100_000 - i,
  'any limits': (i) => (i * 7919) % 10_007,
};
for (const [what, deadlineOf] of Object.entries(limits)) {
  test(`the earliest deadline is found without a look at all requests if they have ${what}`, () => {
    const inFlight = new InFlightRequests();
    let looks = 0;
    const watched = (requestId: number): InFlightRequest =>
      Object.defineProperty({ ...request(requestId, 0) }, 'deadline', {
        get: () => {
          looks++;
          return deadlineOf(requestId);
        },
      }) as InFlightRequest;
    const count = 4000;
    for (let i = 1; i <= count; i++) inFlight.add(watched(i));
    for (let i = 1; i <= count; i++) {
      assert.ok(inFlight.earliestDeadline <= deadlineOf(i));
      inFlight.shift();
    }
    assert.equal(inFlight.earliestDeadline, Number.POSITIVE_INFINITY);
    assert.ok(looks <= count * 8, `${looks} looks at ${count} requests`);
  });
}

test('the requests of each owner are counted, whatever becomes of them', () => {
  const inFlight = new InFlightRequests();
  const [one, other] = [{ isInternal: false }, { isInternal: true }] as unknown as InFlightRequest['owner'][];
  const of = (owner: InFlightRequest['owner'], requestId: number): InFlightRequest => ({
    ...request(requestId, requestId),
    owner,
  });
  const counts = (): number[] => [inFlight.countOf(one!), inFlight.countOf(other!), inFlight.internalCount];
  const second = of(one!, 2);
  inFlight.add(of(one!, 1));
  inFlight.add(second);
  inFlight.addFirst(of(other!, 3));
  assert.deepEqual(counts(), [2, 1, 1]);
  inFlight.shift();
  assert.deepEqual(counts(), [2, 0, 0]);
  inFlight.remove(second);
  assert.deepEqual(counts(), [1, 0, 0]);
  inFlight.drain();
  assert.deepEqual(counts(), [0, 0, 0]);
});

test('the earliest deadline stays right with different limits, orders and throttle times', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed);
    const inFlight = new InFlightRequests();
    let model: InFlightRequest[] = [];
    for (let step = 1; step <= 100; step++) {
      const one = { ...request(step, random.isOneIn(3) ? random.below(1000) : step), throttleAllowanceMs: 5 };
      const action = random.below(6);
      if (action < 2) {
        inFlight.add(one);
        model.push(one);
      } else if (action === 2) {
        inFlight.addFirst(one);
        model.unshift(one);
      } else if (action === 3) {
        inFlight.extendForThrottle(random.below(8));
      } else if (action === 4) {
        inFlight.extendDeadlines(random.below(8));
      } else if (model.length > 0) {
        assert.equal(inFlight.shift(), model.shift());
      }
      if (random.isOneIn(40)) {
        assert.deepEqual(inFlight.drain(), model);
        model = [];
      }
      const earliest = Math.min(Number.POSITIVE_INFINITY, ...model.map(({ deadline }) => deadline));
      assert.equal(inFlight.earliestDeadline, earliest, `seed ${seed}, step ${step}`);
    }
  }
});

test('one request can go before any number of waiting requests', () => {
  const inFlight = new InFlightRequests();
  for (let i = 1; i <= 200_000; i++) inFlight.add(request(i, i));
  inFlight.addFirst(request(0, 5, true));
  assert.equal(inFlight.size, 200_001);
  assert.equal(inFlight.internalCount, 1);
  assert.equal(inFlight.shift().requestId, 0);
});
