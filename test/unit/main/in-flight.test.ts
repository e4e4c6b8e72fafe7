import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Future } from '../../../src/main/future.ts';
import { InFlight, type PendingRequest } from '../../../src/main/in-flight.ts';

function pending(requestId: number, nodeId: number, expectsResponse = true): PendingRequest {
  return { requestId, nodeId, api: { readResponse: () => null }, future: new Future<unknown>(), expectsResponse };
}

test('requests are counted by node and in all; those without a response only in all', () => {
  const inFlight = new InFlight();
  inFlight.add(pending(1, 1));
  inFlight.add(pending(2, 1));
  inFlight.add(pending(3, 2));
  inFlight.add(pending(4, 1, false));
  assert.equal(inFlight.size, 4);
  assert.equal(inFlight.countOf(1), 2);
  assert.equal(inFlight.countOf(2), 1);
  assert.equal(inFlight.countOf(9), 0);
});

test('take gives each request once', () => {
  const inFlight = new InFlight();
  const request = pending(7, 1);
  inFlight.add(request);
  assert.equal(inFlight.take(7), request);
  assert.equal(inFlight.take(7), undefined);
  assert.equal(inFlight.take(8), undefined);
  assert.equal(inFlight.size, 0);
  assert.equal(inFlight.countOf(1), 0);
});

test('takeAll of a node leaves the others, in the order they were sent', () => {
  const inFlight = new InFlight();
  for (const [requestId, nodeId] of [
    [5, 1],
    [3, 2],
    [9, 1],
    [2, 1],
  ]) {
    inFlight.add(pending(requestId!, nodeId!));
  }
  assert.deepEqual(
    inFlight.takeAll(1).map(({ requestId }) => requestId),
    [5, 9, 2],
  );
  assert.equal(inFlight.countOf(1), 0);
  assert.equal(inFlight.countOf(2), 1);
  assert.deepEqual(
    inFlight.takeAll().map(({ requestId }) => requestId),
    [3],
  );
  assert.equal(inFlight.size, 0);
});

test('node 0 is a node like any other', () => {
  const inFlight = new InFlight();
  inFlight.add(pending(1, 0));
  inFlight.add(pending(2, 1));
  assert.equal(inFlight.countOf(0), 1);
  assert.equal(inFlight.takeAll(0).length, 1);
});

test('ids are uint32, above 0, and never one that is in use', () => {
  const inFlight = new InFlight();
  const used = new Set<number>();
  for (let i = 0; i < 1000; i++) {
    const requestId = inFlight.nextRequestId();
    assert.ok(requestId > 0 && requestId >>> 0 === requestId);
    assert.ok(!used.has(requestId));
    used.add(requestId);
    inFlight.add(pending(requestId, 1));
  }
});
