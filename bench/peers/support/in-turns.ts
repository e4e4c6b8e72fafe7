// Owns fair timing of alternatives, some of which are asynchronous: each runs once in every round, in turns. Main thread. The median
// counts, because the collection of a decoder's garbage is a part of its cost. The best time shows how much other work of the machine
// matters.

import { median } from '../../support/rows.ts';

const warmUpRounds = 10;

export type Work = () => unknown;

export interface Timing {
  readonly median: number;
  readonly best: number;
}

/** The time of each function, in ns. */
export async function timeInTurns<Name extends string>(
  measured: Readonly<Record<Name, Work>>,
  rounds: number,
): Promise<Record<Name, Timing>> {
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
  return Object.fromEntries(
    names.map((name) => [name, { median: median(times.get(name)!), best: Math.min(...times.get(name)!) }]),
  ) as Record<Name, Timing>;
}
