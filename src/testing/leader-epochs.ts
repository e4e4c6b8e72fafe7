// Owns which leader epoch began at which offset of a log, for finding where a log and a client part (KIP-320). Runs in
// the broker's thread.

export interface EpochEnd {
  /** -1 when nothing is known. */
  readonly leaderEpoch: number;
  /** Offset after the last record of that epoch, -1 when nothing is known. */
  readonly endOffset: number;
}

const nothingKnown: EpochEnd = { leaderEpoch: -1, endOffset: -1 };

export class LeaderEpochs {
  /** Both rise. */
  #begun: { readonly epoch: number; readonly startOffset: number }[] = [];

  /** A leader of a new epoch begins at `startOffset`. A known epoch changes nothing. */
  begin(epoch: number, startOffset: number): void {
    const last = this.#begun.at(-1);
    if (last !== undefined && last.epoch >= epoch) return;
    // Epochs without records are not needed.
    this.#begun = this.#begun.filter((each) => each.startOffset < startOffset);
    this.#begun.push({ epoch, startOffset });
  }

  truncateTo(endOffset: number): void {
    this.#begun = this.#begun.filter((each) => each.startOffset < endOffset);
  }

  endOf(epoch: number, logEndOffset: number): EpochEnd {
    const last = this.#begun.at(-1);
    if (last === undefined || epoch < 0 || epoch > last.epoch) return nothingKnown;
    if (epoch === last.epoch) return { leaderEpoch: epoch, endOffset: logEndOffset };
    const next = this.#begun.findIndex((each) => each.epoch > epoch);
    const { startOffset } = this.#begun[next]!;
    const before = this.#begun[next - 1];
    return { leaderEpoch: before?.epoch ?? epoch, endOffset: startOffset };
  }

  /** The epoch of the record at `offset`, -1 when it is not known. */
  at(offset: number): number {
    return this.#begun.findLast((each) => each.startOffset <= offset)?.epoch ?? -1;
  }
}
