// One doorbell, its owner and one or two notifiers: in every order of publishing, looking, sleeping and ringing, the owner wakes. A lost
// wake-up ends in an error (blocking) or in the test's timeout (event loop).

import { test } from 'node:test';
import { createDoorbell } from '../../src/ring/doorbell.ts';
import { chooseSeed, Random } from '../unit/ring/support/random.ts';
import { hangTimeoutMs, repeat } from './budget.ts';
import { Peer } from './peer.ts';
import { type Job, play } from './roles.ts';

const ways = [
  ['the owner blocks, the notifier blocks', true, true],
  ['the owner waits, the notifier blocks', false, true],
  ['the owner blocks, the notifier waits', true, false],
  ['both wait', false, false],
] as const;

for (const [what, isOwnerBlocking, isNotifierBlocking] of ways) {
  test(`no wake-up is lost when ${what}`, { timeout: hangTimeoutMs }, async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`SEED=${seed}`);
    const random = new Random(seed);
    const peer = new Peer();
    let rings = 0;
    try {
      await repeat(0.06, async () => {
        const bells = [createDoorbell(), createDoorbell()] as const;
        const count = 2000 + random.below(4000);
        const shared = { work: new SharedArrayBuffer(256), count };
        const owner: Job = {
          role: 'own-bell',
          ...shared,
          seed: random.uint32(),
          own: bells[0],
          notifiers: [bells[1]],
          isBlocking: isOwnerBlocking,
          dozeMs: null,
        };
        const notifier: Job = {
          role: 'ring-bell',
          ...shared,
          index: 0,
          seed: random.uint32(),
          own: bells[1],
          other: bells[0],
          isBlocking: isNotifierBlocking,
          nudges: random.isOneIn(2),
        };
        const [here, there] = random.isOneIn(2) ? [owner, notifier] : [notifier, owner];
        await Promise.all([peer.play(there), play(here)]);
        rings += count;
      });
      t.diagnostic(`${rings} rings`);
    } finally {
      await peer.terminate();
    }
  });
}

const dozing = [
  ['no wake-up is lost with two notifiers', null, false],
  ['every notify wakes an owner that dozes without a timer', Number.POSITIVE_INFINITY, false],
  ['what an owner that dozes was nudged about is found, and never lost when it sleeps', 1, true],
] as const;

for (const [what, dozeMs, nudges] of dozing) {
  test(what, { timeout: hangTimeoutMs }, async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`SEED=${seed}`);
    const random = new Random(seed);
    const peers = [new Peer(), new Peer()];
    let rings = 0;
    try {
      await repeat(0.07, async () => {
        const bell = createDoorbell();
        const work = new SharedArrayBuffer(384);
        const count = 1000 + random.below(2000);
        const notifiers = peers.map(createDoorbell);
        const notifying = peers.map((peer, index) =>
          peer.play({
            role: 'ring-bell',
            work,
            count,
            index,
            seed: random.uint32(),
            own: notifiers[index]!,
            other: bell,
            isBlocking: random.isOneIn(2),
            nudges,
          }),
        );
        const owning = play({
          role: 'own-bell',
          work,
          count: 2 * count,
          seed: random.uint32(),
          own: bell,
          notifiers,
          isBlocking: random.isOneIn(2),
          dozeMs,
        });
        await Promise.all([...notifying, owning]);
        rings += 2 * count;
      });
      t.diagnostic(`${rings} rings`);
    } finally {
      for (const peer of peers) await peer.terminate();
    }
  });
}
