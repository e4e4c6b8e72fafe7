// Measures the cost of a call's place and of a callback's async context, for a Future that is made, gets a callback and is settled.

import { type CallPlace, callPlace } from '../../src/main/link/call-place.ts';
import { Future, succeed } from '../../src/main/link/future.ts';
import type { BenchRow } from '../support/rows.ts';
import { bestInTurns } from './support/in-turns.ts';

const futures = 2000;
const rounds = Number(process.env.BENCH_ROUNDS ?? 60);

export async function run(): Promise<BenchRow[]> {
  const nothing = (): void => {};
  const settled = (place: () => CallPlace | null, hear: (future: Future<number>) => void) => () => {
    for (let i = 0; i < futures; i++) {
      const future = new Future<number>(undefined, undefined, place());
      hear(future);
      succeed(future, i);
    }
  };
  const none = (): null => null;
  const here = (): CallPlace => callPlace(here);
  const awaited = (future: Future<number>): void => void future.then(nothing);
  const calledBack = (future: Future<number>): void => void future.addCallback(nothing);
  const best = bestInTurns(
    { plain: settled(none, awaited), placed: settled(here, awaited), called: settled(none, calledBack) },
    rounds,
  );
  return [
    row('a Future with the place of its call', best.placed, best.plain),
    row('a Future with a callback in its async context', best.called, best.plain),
  ];
}

function row(name: string, oursNs: number, theirsNs: number): BenchRow {
  const [ours, theirs] = [oursNs / futures, theirsNs / futures];
  return {
    name,
    unit: 'ns',
    ours: Math.round(ours),
    comparison: 'one that is awaited, without a place',
    theirs: Math.round(theirs),
    ratio: Math.round((ours / theirs) * 100) / 100,
    parameters: { futures, rounds },
  };
}
