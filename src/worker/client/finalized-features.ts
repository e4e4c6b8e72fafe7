// Owns the cluster's finalized features (KIP-584), as the newest ApiVersions answer told them. Network thread.

export class FinalizedFeatures {
  #epoch = -1n;
  #levels: ReadonlyMap<string, number> = new Map();

  /** Takes over what a broker answered, unless an answer of a later epoch is known. @param epoch -1: that broker does not know */
  learn(epoch: bigint, levels: ReadonlyMap<string, number>): void {
    if (epoch < 0n || epoch < this.#epoch) return;
    this.#epoch = epoch;
    this.#levels = levels;
  }

  /** Null when it is not finalized, or while nobody has told. */
  level(name: string): number | null {
    return this.#levels.get(name) ?? null;
  }

  /** Another cluster counts its epochs by itself. */
  clear(): void {
    this.#epoch = -1n;
    this.#levels = new Map();
  }
}
