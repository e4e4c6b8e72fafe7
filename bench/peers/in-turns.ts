// Owns fair timing of alternatives, some of which are asynchronous: all of them once a round, in turns, and the median of
// each. Main thread. The median and not the best: what a decoder leaves to the garbage collector is part of its price.

import { median } from '../rows.ts';

const warmUpRounds = 10;

export type Work = () => unknown;

/** The median time of each function in ns. */
export async function medianInTurns<Name extends string>(
  measured: Readonly<Record<Name, Work>>,
  rounds: number,
): Promise<Record<Name, number>> {
  const names = Object.keys(measured) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const name of names) {
      const start = process.hrtime.bigint();
      const result = measured[name]();
      if (result instanceof Promise) await result;
      if (round >= 0) times.get(name)!.push(Number(process.hrtime.bigint() - start));
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name)!)])) as Record<Name, number>;
}
