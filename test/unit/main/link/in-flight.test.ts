import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Future } from '../../../../src/main/link/future.ts';
import { InFlight, type PendingRequest } from '../../../../src/main/link/in-flight.ts';

function pending(requestId: number, nodeId: number, expectsResponse = true): PendingRequest {
  return { requestId, nodeId, api: { readResponse: () => null }, future: new Future<unknown>(), expectsResponse };
}

test('requests are counted for each node and in total, and requests without a response only in total', () => {
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

test('take returns each request once', () => {
  const inFlight = new InFlight();
  const request = pending(7, 1);
  inFlight.add(request);
  assert.equal(inFlight.take(7), request);
  assert.equal(inFlight.take(7), undefined);
  assert.equal(inFlight.take(8), undefined);
  assert.equal(inFlight.size, 0);
  assert.equal(inFlight.countOf(1), 0);
});

test('takeAll of a node leaves the requests of other nodes, in the order they were sent', () => {
  const inFlight = new InFlight();
  const sent = [1, 2, 1, 2, 1].map((nodeId) => {
    const request = pending(inFlight.nextRequestId(), nodeId);
    inFlight.add(request);
    return request;
  });
  assert.deepEqual(inFlight.takeAll(1), [sent[0], sent[2], sent[4]]);
  assert.equal(inFlight.countOf(1), 0);
  assert.equal(inFlight.countOf(2), 2);
  assert.deepEqual(inFlight.takeAll(), [sent[1], sent[3]]);
  assert.equal(inFlight.size, 0);
});

test('ids go on with 1 after the largest uint32, and the order of sending stays', () => {
  const inFlight = new InFlight(0xfffffffd);
  const ids = Array.from({ length: 5 }, () => {
    const requestId = inFlight.nextRequestId();
    inFlight.add(pending(requestId, 1));
    return requestId;
  });
  assert.deepEqual(ids, [0xfffffffe, 0xffffffff, 1, 2, 3]);
  assert.deepEqual(
    inFlight.takeAll().map(({ requestId }) => requestId),
    ids,
  );
});

test('requests that stay in flight do not block the ids after them', () => {
  const inFlight = new InFlight();
  const kept = pending(inFlight.nextRequestId(), 1);
  inFlight.add(kept);
  for (let i = 0; i < 1000; i++) {
    const request = pending(inFlight.nextRequestId(), 2);
    inFlight.add(request);
    assert.equal(inFlight.take(request.requestId), request);
  }
  assert.equal(inFlight.take(kept.requestId), kept);
});

test('an id in use is refused, and an id with the same lowest bits is accepted', () => {
  const inFlight = new InFlight();
  const first = pending(5, 1);
  const second = pending(5 + 64, 1);
  inFlight.add(first);
  inFlight.add(second);
  assert.throws(() => inFlight.add(pending(5, 1)), { name: 'IllegalStateError' });
  assert.equal(inFlight.take(5), first);
  assert.equal(inFlight.take(5 + 64), second);
});

test('node 0 is a node like any other', () => {
  const inFlight = new InFlight();
  inFlight.add(pending(1, 0));
  inFlight.add(pending(2, 1));
  assert.equal(inFlight.countOf(0), 1);
  assert.equal(inFlight.takeAll(0).length, 1);
});

test('ids are uint32 above 0 and never an id in use', () => {
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

test('nobody waits for a request that was given up, but it keeps its place on its connection until it is settled', () => {
  const inFlight = new InFlight();
  const requests = Array.from({ length: 200 }, () => {
    const request = pending(inFlight.nextRequestId(), 1);
    inFlight.add(request);
    inFlight.giveUp(request.requestId);
    inFlight.giveUp(request.requestId);
    return request;
  });
  assert.equal(inFlight.size, 0);
  assert.equal(inFlight.countOf(1), 200);
  for (const { requestId } of requests) assert.equal(inFlight.take(requestId)?.requestId, requestId);
  assert.equal(inFlight.size, 0);
  assert.equal(inFlight.countOf(1), 0);
});
