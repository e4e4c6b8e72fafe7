// Owns the rows of a comparison: this client against each peer, as medians. Main thread.

import { type BenchRow, median } from '../../support/rows.ts';
import { clients } from './producers.ts';

const [ours, ...peers] = clients;

/** @param figures the figures of each client, one for each repetition */
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
      // If the peer's figure is 0, ours is divided by 1.
      ratio: rounded(median(mine) / (median(theirs) || 1)),
      parameters: { ...parameters, all: { ours: mine.map(rounded), theirs: theirs.map(rounded) } },
    };
  });
}

/** A figure with four digits. The measurements are not more exact. */
function rounded(figure: number): number {
  return Number(figure.toPrecision(4));
}
