// A client that is dropped without close: this is noticed and logged, and its network thread ends when nothing is under way.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Fetch } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type Child, startChild } from './support/child.ts';
import type { Cleanup } from './support/client.ts';
import type { DroppedArguments } from './support/scripts/dropped.ts';

let broker: EmbeddedBroker;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { logs: 1 } });
});

after(async () => {
  await broker.close();
});

function run(t: Cleanup, isAsked: boolean, isIterating = false, leaves?: DroppedArguments['leaves']): Child {
  const args: DroppedArguments = {
    options: { bootstrapServers: broker.bootstrapServers, clientId: `asked-${isAsked}` },
    isAsked,
    isIterating,
    ...(leaves !== undefined && { leaves }),
  };
  return startChild(t, 'dropped', args, { execArgv: ['--expose-gc'] });
}

/** A collection that comes by itself may be told of before the program has looked. */
function assertDropped(stdout: string, ...before: readonly string[]): void {
  const lines = stdout.trim().split('\n');
  const told = ['client-dropped', 'collected'];
  assert.deepEqual(
    [...lines.slice(0, before.length), ...lines.slice(before.length, before.length + 2).sort(), ...lines.slice(-1)],
    [...before, ...told, 'ended, 1 broker known'],
  );
  assert.equal(lines.length, before.length + 3);
}

test('a client that is dropped without close is logged as a warning, and its network thread ends', {
  timeout: 300_000,
}, async (t) => {
  const { exitCode, stdout, stderr } = await run(t, false).ended;
  assert.equal(stderr, '');
  assertDropped(stdout);
  assert.equal(exitCode, 0);
});

test('a client that is dropped with a request in flight ends when the request is answered', {
  timeout: 300_000,
}, async (t) => {
  await broker.control(Fetch, { holdUntil: 'dropped' }, { times: 1, clientId: 'asked-true' });
  const child = run(t, true);
  await broker.waitForHeld('dropped');
  await waitFor('the collection of the client', () => child.stdout.includes('collected'));
  await broker.release('dropped');
  const { exitCode, stdout, stderr } = await child.ended;
  assert.equal(stderr, '');
  assert.deepEqual(stdout.trim().split('\n'), ['collected', 'answered', 'client-dropped', 'ended, 1 broker known']);
  assert.equal(exitCode, 0);
});

test('a client in a loop over responses lives until the loop ends', { timeout: 300_000 }, async (t) => {
  const { exitCode, stdout, stderr } = await run(t, false, true).ended;
  assert.equal(stderr, '');
  assertDropped(stdout, 'kept');
  assert.equal(exitCode, 0);
});

for (const leaves of ['listener', 'iterator'] as const) {
  const what =
    leaves === 'listener' ? 'a listener of its cluster that names it' : 'an iterator that waits for a response';
  test(`a client that is dropped with ${what} is noticed too`, { timeout: 300_000 }, async (t) => {
    const { exitCode, stdout, stderr } = await run(t, false, false, leaves).ended;
    assert.equal(stderr, '');
    assertDropped(stdout);
    assert.equal(exitCode, 0);
  });
}
