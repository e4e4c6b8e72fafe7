// Responses that the codec pool decodes: the order in which they are delivered.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PooledResponse, PooledResponses } from '../../../../src/worker/link/pooled-responses.ts';
import type { DecodedBody } from '../../../../src/worker/requests/codec-work.ts';
import type { InFlightRequest } from '../../../../src/worker/requests/request-owner.ts';

const body: DecodedBody = { buffer: new ArrayBuffer(8), usedBytes: 8, throttleTimeMs: 0, extraBytes: 0 };

function request(nodeId: number, requestId: number): InFlightRequest {
  return { nodeId, requestId } as InFlightRequest;
}

/** Takes what can be given out; with `room`, so many at most. */
function deliver(responses: PooledResponses, room = Number.POSITIVE_INFINITY): { ids: number[]; hasFreed: boolean } {
  const ids: number[] = [];
  const hasFreed = responses.deliver((response: PooledResponse) => {
    if (ids.length === room) return false;
    ids.push(response.request.requestId);
    return true;
  });
  return { ids, hasFreed };
}

test('a node is free again when all its responses are delivered', () => {
  const responses = new PooledResponses();
  const one = responses.add(request(1, 1));
  assert.equal(responses.hasAny(1), true);
  assert.equal(responses.hasAny(2), false);
  assert.deepEqual(deliver(responses), { ids: [], hasFreed: false });
  one.outcome = body;
  assert.deepEqual(deliver(responses), { ids: [1], hasFreed: true });
  assert.equal(responses.hasAny(1), false);
  assert.deepEqual(deliver(responses), { ids: [], hasFreed: false });
});

test('a response waits for earlier responses of its node', () => {
  const responses = new PooledResponses();
  const [first, second, third] = [1, 2, 3].map((id) => responses.add(request(1, id)));
  third!.outcome = body;
  second!.outcome = new Error('unreadable');
  assert.deepEqual(deliver(responses).ids, []);
  first!.outcome = body;
  assert.deepEqual(deliver(responses), { ids: [1, 2, 3], hasFreed: true });
});

test('nodes do not wait for each other', () => {
  const responses = new PooledResponses();
  responses.add(request(1, 1));
  const other = responses.add(request(2, 2));
  other.outcome = body;
  assert.deepEqual(deliver(responses), { ids: [2], hasFreed: true });
  assert.equal(responses.hasAny(1), true);
});

test('a response without room stays, and so do those behind it', () => {
  const responses = new PooledResponses();
  for (let id = 1; id <= 4; id++) responses.add(request(1, id)).outcome = body;
  assert.deepEqual(deliver(responses, 1), { ids: [1], hasFreed: false });
  assert.equal(responses.hasAny(1), true);
  assert.deepEqual(deliver(responses, 0), { ids: [], hasFreed: false });
  assert.deepEqual(deliver(responses), { ids: [2, 3, 4], hasFreed: true });
});

test('a node that became free is reported even if another had no room', () => {
  const responses = new PooledResponses();
  responses.add(request(1, 1)).outcome = body;
  responses.add(request(2, 2)).outcome = body;
  assert.deepEqual(deliver(responses, 1), { ids: [1], hasFreed: true });
  assert.equal(responses.hasAny(1), false);
  assert.equal(responses.hasAny(2), true);
});
