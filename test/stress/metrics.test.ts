// Metrics with a writer and a reader on two threads: a read has values of one moment, even if windows move fast.

import { test } from 'node:test';
import { createMetrics } from '../../src/state/shared-metrics.ts';
import { chooseSeed, Random } from '../unit/ring/support/random.ts';
import { hangTimeoutMs, repeat } from './budget.ts';
import { Peer } from './peer.ts';
import { type Job, play } from './roles.ts';

test('no reading mixes two windows', { timeout: hangTimeoutMs }, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const peer = new Peer();
  try {
    await repeat(0.05, async () => {
      const shared = { metrics: createMetrics(2, 1), count: 20_000, seed: random.uint32() | 1 };
      const writer: Job = { role: 'move-windows', ...shared };
      const reader: Job = { role: 'read-windows', ...shared };
      // The one on this thread holds it until the other is through, so the peer begins first.
      await Promise.all([peer.play(writer), play(reader)]);
    });
  } finally {
    await peer.terminate();
  }
});
