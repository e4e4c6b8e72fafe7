// Owns waiting for a condition of an embedded broker. Runs in the test's thread.

import { setTimeout as delay } from 'node:timers/promises';

const firstPauseMs = 1;
const maxPauseMs = 50;

/**
 * Resolves with the first result of `condition` that is neither false, null nor undefined.
 * @param what  for the error
 * @param timeoutMs  only a bound on a test that would hang; generous by default, since machines are slow at times
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 90_000,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = performance.now() + timeoutMs;
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, maxPauseMs)) {
    const result = await condition();
    if (result !== false && result !== null && result !== undefined) {
      return result as Exclude<T, false | null | undefined>;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(pause);
  }
}
