import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MinHeap } from '../../../src/common/min-heap.ts';
import { Random } from '../ring/support/random.ts';

test('entries come out in the order of their rank', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const heap = new MinHeap<number>((rank) => rank);
    const model: number[] = [];
    for (let step = 0; step < 200; step++) {
      if (random.isOneIn(3)) {
        assert.equal(heap.least, model[0]);
        assert.equal(heap.take(), model.shift());
      } else {
        const rank = random.below(50);
        heap.add(rank);
        model.push(rank);
        model.sort((a, b) => a - b);
      }
      assert.equal(heap.size, model.length);
    }
    while (model.length > 0) assert.equal(heap.take(), model.shift());
    assert.equal(heap.take(), undefined);
  }
});

test('adding and taking an entry need a logarithmic number of comparisons', () => {
  let looks = 0;
  const heap = new MinHeap<number>((rank) => {
    looks++;
    return rank;
  });
  const count = 2 ** 14;
  for (let i = 0; i < count; i++) heap.add(count - i);
  while (heap.size > 0) heap.take();
  assert.ok(looks < count * 14 * 6, `${looks} looks`);
});
