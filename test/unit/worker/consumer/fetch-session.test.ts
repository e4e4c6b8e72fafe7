// What a fetch session asks for, and its epochs. Network thread, without a broker.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FetchRow, FetchSession, keyOfRow } from '../../../../src/worker/consumer/fetch-session.ts';

const row: FetchRow = { topic: 't', topicId: 'id', index: 0, offset: 5n, leaderEpoch: 1, maxBytes: 1000 };
const keys = new Set([keyOfRow(row)]);

test('epochs wrap: after the largest int32 comes 1, because 0 would begin a new session', () => {
  const session = new FetchSession(2 ** 31 - 2);
  const epochs: number[] = [];
  for (let i = 0; i < 5; i++) {
    const request = session.next([{ ...row, offset: BigInt(i) }], true);
    epochs.push(request.sessionEpoch);
    assert.equal(request.isFull, i === 0, `request ${i}`);
    assert.equal(session.answered({ sessionId: 7 }, request.isFull, keys), null);
  }
  assert.deepEqual(epochs, [0, 2 ** 31 - 2, 2 ** 31 - 1, 1, 2]);
});
