// Owns the features of an embedded cluster, as ApiVersions announces them: what Kafka 4.3.0 has when freshly formatted.
// Runs in the broker's thread.

export interface SupportedFeature {
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
}

const supported: readonly SupportedFeature[] = [
  { name: 'eligible.leader.replicas.version', minVersion: 0, maxVersion: 1 },
  { name: 'group.version', minVersion: 0, maxVersion: 1 },
  { name: 'kraft.version', minVersion: 0, maxVersion: 1 },
  { name: 'metadata.version', minVersion: 7, maxVersion: 30 },
  { name: 'share.version', minVersion: 0, maxVersion: 1 },
  { name: 'streams.version', minVersion: 0, maxVersion: 1 },
  { name: 'transaction.version', minVersion: 0, maxVersion: 2 },
];

export class Features {
  readonly #finalized = new Map<string, number>([
    ['eligible.leader.replicas.version', 1],
    ['group.version', 1],
    ['metadata.version', 30],
    ['share.version', 1],
    ['streams.version', 1],
  ]);
  #epoch = 1;

  constructor(transactionVersion: number) {
    this.set('transaction.version', transactionVersion);
  }

  /** Grows with each change. */
  get epoch(): number {
    return this.#epoch;
  }

  get supported(): readonly SupportedFeature[] {
    return supported;
  }

  /** Without those of level 0, as brokers list them. */
  get finalized(): readonly { readonly name: string; readonly level: number }[] {
    return [...this.#finalized].filter(([, level]) => level > 0).map(([name, level]) => ({ name, level }));
  }

  set(name: string, level: number): void {
    const known = supported.find((feature) => feature.name === name);
    if (known === undefined || level < 0 || level > known.maxVersion) {
      throw new RangeError(`feature ${name} has no level ${level}`);
    }
    this.#finalized.set(name, level);
    this.#epoch++;
  }
}
