// One ring between two threads: very small capacities, positions near the wrap, each thread in each role, blocking or not.

import { test } from 'node:test';
import { createDoorbell } from '../../src/ring/doorbell.ts';
import { createRing } from '../../src/ring/layout.ts';
import { chooseSeed, Random } from '../unit/ring/support/random.ts';
import { hangTimeoutMs, repeat } from './budget.ts';
import { Peer } from './peer.ts';
import { type Job, play } from './roles.ts';

test('frames cross a ring whole, in order, and none is lost', { timeout: hangTimeoutMs }, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const peer = new Peer();
  let frames = 0;
  try {
    const rounds = await repeat(0.2, async () => {
      const bells = [createDoorbell(), createDoorbell()] as const;
      const shared = {
        ring: createRing(64 << random.below(3), 2 ** 32 - 8 * (1 + random.below(4000))),
        seed: random.uint32(),
        count: 500 + random.below(4000),
      };
      const here = { ...shared, own: bells[0], other: bells[1], isBlocking: random.isOneIn(2) };
      const there = { ...shared, own: bells[1], other: bells[0], isBlocking: random.isOneIn(2) };
      const roles = random.isOneIn(2)
        ? (['write-frames', 'read-frames'] as const)
        : (['read-frames', 'write-frames'] as const);
      const jobs: readonly Job[] = [
        { role: roles[0], ...here },
        { role: roles[1], ...there },
      ];
      await Promise.all([peer.play(jobs[1]!), play(jobs[0]!)]);
      frames += shared.count;
    });
    t.diagnostic(`${rounds} rounds, ${frames} frames`);
  } finally {
    await peer.terminate();
  }
});
