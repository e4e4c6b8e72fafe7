// Owns the work that CPU figures of different machines, and of different moments on one machine, are related to: arithmetic over memory larger than
// the first cache, small objects and calls, like the client's own. Any thread. Must not change: all saved figures would lose their measure.

import { threadTimeMs } from '../main-job/thread-time.ts';

const words = 1 << 16;
const passes = 60;

interface Pair {
  readonly low: number;
  readonly high: number;
}

function onePass(memory: Int32Array, seed: number): number {
  let state = seed | 1;
  let sum = 0;
  for (let i = 0; i < words; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const at = state & (words - 1);
    const pair: Pair = { low: memory[at]!, high: i };
    memory[i] = (pair.low + pair.high + state) | 0;
    sum = (sum + pair.low) | 0;
  }
  return sum;
}

/** The CPU time of one pass of the work, in us. Takes some 100 ms. */
export function referenceMicroseconds(): number {
  const memory = new Int32Array(words);
  let sum = 0;
  for (let pass = 0; pass < passes / 2; pass++) sum += onePass(memory, pass);
  const before = threadTimeMs();
  for (let pass = 0; pass < passes; pass++) sum += onePass(memory, sum + pass);
  const us = ((threadTimeMs() - before) * 1000) / passes;
  // The engine must not leave the work out.
  return sum === 0.5 ? 0 : us;
}
