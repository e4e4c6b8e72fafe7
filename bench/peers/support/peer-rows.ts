// Owns the rows of a measure that each client was put to: this one beside each peer, as medians. Main thread.

import { type BenchRow, median } from '../../support/rows.ts';
import { clients } from './producers.ts';

const [ours, ...peers] = clients;

/** @param figures of each client, one of each repetition */
export function besidePeers(
  name: string,
  unit: string,
  figures: ReadonlyMap<string, readonly number[]>,
  parameters: BenchRow['parameters'],
): BenchRow[] {
  const mine = figures.get(ours)!;
  return peers.map((peer) => {
    const theirs = figures.get(peer)!;
    return {
      name,
      unit,
      ours: rounded(median(mine)),
      comparison: peer,
      theirs: rounded(median(theirs)),
      // Beside nothing at all, as beside one.
      ratio: rounded(median(mine) / (median(theirs) || 1)),
      parameters: { ...parameters, all: { ours: mine.map(rounded), theirs: theirs.map(rounded) } },
    };
  });
}

/** Four digits are more than any of these measures has. */
function rounded(figure: number): number {
  return Number(figure.toPrecision(4));
}
