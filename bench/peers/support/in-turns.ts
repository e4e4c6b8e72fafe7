// Owns fair timing of alternatives, some of which are asynchronous: all of them once a round, in turns. Main thread. The
// median is what counts: what a decoder leaves to the garbage collector is part of its price. The best time tells how much
// of it was the machine's other work.

import { median } from '../../support/rows.ts';

const warmUpRounds = 10;

export type Work = () => unknown;

export interface Timing {
  readonly median: number;
  readonly best: number;
}

/** What each function takes, in ns. */
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
