// No test sleeps for a fixed time, which would be too short on a slow machine and too long on others. Tests wait for a condition.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findSleeps } from './support/sleeps.ts';
import { sourceFiles } from './support/source-files.ts';

test('no test sleeps for a fixed time without a reason', () => {
  const files = sourceFiles('test').filter(({ path }) => path.endsWith('.test.ts'));
  assert.ok(files.length > 5, `${files.length} files found`);
  assert.deepEqual(
    files.flatMap(({ path, text }) => findSleeps(text).map((line) => `test/${path}:${line}`)),
    [],
  );
});

describe('a fixed sleep is', () => {
  const sleeps: readonly (readonly [what: string, text: string])[] = [
    ['a timer that resolves', 'await new Promise((resolve) => setTimeout(resolve, 50));'],
    ['a timer whose callback resolves', 'await new Promise((resolve) => { setTimeout(() => resolve(), 1_000); });'],
    ['a promised timer', `import { setTimeout } from 'node:timers/promises';\nawait setTimeout(10);`],
    [
      'a promised timer of another name',
      `import { setTimeout as later } from 'node:timers/promises';\nawait later(10);`,
    ],
    ['a helper named for it', 'await sleep(100);'],
    ['one whose length has a name', 'const pauseMs = 20;\nawait delay(pauseMs);'],
    ['a wait that nothing can end', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);'],
    ['one with an empty excuse', '// fixed sleep:\nawait sleep(100);'],
  ];
  for (const [what, text] of sleeps) {
    test(what, () => assert.deepEqual(findSleeps(text), [text.split('\n').length]));
  }
});

describe('no fixed sleep is', () => {
  const others: readonly (readonly [what: string, text: string])[] = [
    ['a bound', 'const timer = setTimeout(() => reject(new Error("late")), 30_000);'],
    ['a bound with a result', 'const timer = setTimeout(() => resolve(false), 30_000);'],
    ['a bound that is called off', `await Promise.race([end, delay(5000, false, { signal })]);`],
    ['a turn of the event loop', 'await delay(0);\nawait new Promise((resolve) => setTimeout(resolve, 1));'],
    ['a wait that another thread ends', 'Atomics.wait(words, 0, 0, 5000);'],
    ['one with a reason above it', '// fixed sleep: the kernel tells nobody when its queue is full\nawait sleep(100);'],
    ['one with a reason beside it', 'await sleep(100); // fixed sleep: nothing to observe'],
    ['a method of a socket', 'socket.setTimeout(1000, done);'],
  ];
  for (const [what, text] of others) {
    test(what, () => assert.deepEqual(findSleeps(text), []));
  }
});
