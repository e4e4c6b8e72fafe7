// Owns the widening of races: random pauses before atomic operations of the thread that installs it, so that two threads meet
// in the few nanoseconds between two of them, which otherwise takes hours.

import { Random } from '../unit/ring/support/random.ts';

const names = ['add', 'exchange', 'load', 'notify', 'store', 'wait', 'waitAsync'] as const;

/** @returns what takes the pauses away again */
export function installJitter(seed: number): () => void {
  const random = new Random(seed);
  const originals = names.map((name) => [name, Atomics[name]] as const);
  for (const [name, original] of originals) {
    const call = original as (...operands: unknown[]) => unknown;
    const slow = (...operands: unknown[]): unknown => {
      if (random.isOneIn(4)) spin(random.below(400));
      return call(...operands);
    };
    Object.defineProperty(Atomics, name, { value: slow, configurable: true, writable: true });
  }
  return () => {
    for (const [name, original] of originals) {
      Object.defineProperty(Atomics, name, { value: original, configurable: true, writable: true });
    }
  };
}

/** Some nanoseconds each. */
export function spin(times: number): void {
  for (let i = 0; i < times; i++) scratch[0]! += i;
}

const scratch = new Int32Array(1);
