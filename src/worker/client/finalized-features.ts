// Owns the cluster's finalized features (KIP-584) from the newest ApiVersions response. Network thread.

export class FinalizedFeatures {
  #epoch = -1n;
  #levels: ReadonlyMap<string, number> = new Map();

  /**
   * Takes over the features of a response, unless a later epoch is known already. @param epoch -1: that broker does
   * not know it
   */
  learn(epoch: bigint, levels: ReadonlyMap<string, number>): void {
    if (epoch < 0n || epoch < this.#epoch) return;
    this.#epoch = epoch;
    this.#levels = levels;
  }

  /** Null if it is not finalized, or before a broker has answered. */
  level(name: string): number | null {
    return this.#levels.get(name) ?? null;
  }

  /** The cluster has changed, and the epochs of two clusters cannot be compared. */
  clear(): void {
    this.#epoch = -1n;
    this.#levels = new Map();
  }
}
