import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseLog } from '../../../../src/main/link/response-log.ts';

test('each span gets what was added between its begin and its end, in any order of ends', () => {
  const log = new ResponseLog();
  const expected = new Map<ReturnType<typeof log.begin>, number[]>();
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 48271) >>> 0) % 2147483647;
    return seed % below;
  };
  for (let i = 0; i < 5000; i++) {
    const choice = random(3);
    if (choice === 0) expected.set(log.begin(), []);
    else if (choice === 1) {
      log.add(i);
      for (const list of expected.values()) list.push(i);
    } else if (expected.size > 0) {
      const span = [...expected.keys()][random(expected.size)]!;
      assert.equal(log.hasAny(span), expected.get(span)!.length > 0);
      if (random(4) === 0) log.drop(span);
      else assert.deepEqual(log.finish(span), expected.get(span));
      expected.delete(span);
    }
  }
});

test('spans of the same time share one list', () => {
  const log = new ResponseLog();
  const spans = [log.begin(), log.begin(), log.begin()];
  log.add('a');
  const [first, second] = [log.finish(spans[0]!), log.finish(spans[1]!)];
  assert.equal(first, second);
  log.add('b');
  assert.deepEqual(log.finish(spans[2]!), ['a', 'b']);
  assert.deepEqual(first, ['a']);
});
