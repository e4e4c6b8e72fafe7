// Owns random numbers from a seed, so that a proof can be run again as it was.

import { seededRandom } from '../../test/fault/support/random.ts';

/** Integers from 0 to below. */
export function randomOf(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}
