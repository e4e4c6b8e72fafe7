// The cost of very many callers that wait for one node, as a count of steps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaTimeoutError } from '../../../../src/common/errors/errors.ts';
import type { Node } from '../../../../src/worker/client/node.ts';
import type { Nodes } from '../../../../src/worker/client/nodes.ts';
import { Readiness } from '../../../../src/worker/client/readiness.ts';

const down = { id: 1, key: 1, isReady: false, connection: { lastError: null } };
const up = {
  id: 1,
  key: 1,
  hasRow: true,
  apiVersions: { ranges: new Map(), brokerVersion: [4, 0] },
} as unknown as Node;

test('many callers that wait for one node cause one attempt at a time, end at their own limits, and all see when it is ready', async () => {
  let connects = 0;
  let now = 0;
  const readiness = new Readiness(
    { get: () => down, find: () => down } as unknown as Nodes,
    () => void connects++,
    () => now,
    () => {},
  );
  const callers = 2000;
  const impatient: Promise<unknown>[] = [];
  const patient: Promise<unknown>[] = [];
  for (let i = 0; i < callers; i++) {
    patient.push(readiness.awaitReady(1, 10_000));
    impatient.push(readiness.awaitReady(1, 10 + (i % 7)).catch((error: unknown) => ({ error, now })));
    // Each call is a turn of its own.
    readiness.poll(now);
  }
  assert.ok(connects <= callers, `${connects} attempts`);
  while (readiness.nextDeadline < 1000) {
    now = Math.max(now + 1, readiness.nextDeadline);
    readiness.poll(now);
    await Promise.resolve();
  }
  for (const [i, end] of (await Promise.all(impatient)).entries()) {
    const { error, now: at } = end as { error: unknown; now: number };
    assert.ok(error instanceof KafkaTimeoutError);
    assert.equal(at, 10 + (i % 7));
  }
  readiness.onNodeReady(up);
  await Promise.all(patient);
  assert.equal(readiness.nextDeadline, Number.POSITIVE_INFINITY);
});
