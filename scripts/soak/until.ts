// Owns how a soak waits for what it can only look at. Main thread. Must not decide what follows when it does not come.

import { setTimeout as delay } from 'node:timers/promises';

const lookEveryMs = 100;

/** @returns whether it holds, in the end */
export async function waitUntil(holds: () => boolean, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs;
  while (!holds() && performance.now() < until) await delay(lookEveryMs);
  return holds();
}
