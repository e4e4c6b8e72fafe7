// One link between two threads: small and moved bodies, very small budgets, counters near the wrap.

import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { createDoorbell } from '../../src/ring/doorbell.ts';
import { createRing, RETURNED_WORD, SPILLED_WORD } from '../../src/ring/layout.ts';
import { chooseSeed, Random } from '../unit/ring/support/random.ts';
import { hangTimeoutMs, repeat } from './budget.ts';
import { Peer } from './peer.ts';
import { play } from './roles.ts';

test('messages cross a link whole, in order, within the spill budget', { timeout: hangTimeoutMs }, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const peer = new Peer();
  let messages = 0;
  try {
    const rounds = await repeat(0.25, async () => {
      const capacity = 64 << random.below(4);
      const ring = createRing(capacity, 2 ** 32 - 8 * (1 + random.below(4000)));
      const words = new Int32Array(ring);
      words[SPILLED_WORD] = -random.below(20_000);
      words[RETURNED_WORD] = words[SPILLED_WORD]!;
      const { port1, port2 } = new MessageChannel();
      const spares = new MessageChannel();
      const bells = [createDoorbell(), createDoorbell()] as const;
      const shared = {
        ring,
        seed: random.uint32(),
        count: 200 + random.below(1500),
        longest: random.isOneIn(8) ? 20_000 : 32 + random.below(500),
        spillBytes: random.below(capacity / 2 - 15),
        spillBudgetBytes: random.below(3000),
      };
      const here = {
        ...shared,
        port: port1,
        sparePort: spares.port1,
        own: bells[0],
        other: bells[1],
        isBlocking: random.isOneIn(2),
      };
      const there = {
        ...shared,
        port: port2,
        sparePort: spares.port2,
        own: bells[1],
        other: bells[0],
        isBlocking: random.isOneIn(2),
      };
      const isWriterHere = random.isOneIn(2);
      await Promise.all([
        peer.play({ role: isWriterHere ? 'read-messages' : 'write-messages', ...there }, [port2, spares.port2]),
        play({ role: isWriterHere ? 'write-messages' : 'read-messages', ...here }),
      ]);
      port1.close();
      spares.port1.close();
      messages += shared.count;
    });
    t.diagnostic(`${rounds} rounds, ${messages} messages`);
  } finally {
    await peer.terminate();
  }
});
