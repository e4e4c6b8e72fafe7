// Owns seeded random numbers for tests of this room: the same seed gives the same schedule on every machine.

/** Seed from the environment variable SEED, else from the clock; whoever uses it prints it. */
export function chooseSeed(): number {
  const given = process.env.SEED;
  if (given === undefined || given === '') return Date.now() >>> 0;
  const seed = Number(given);
  if (!Number.isInteger(seed)) throw new Error(`SEED is ${given}, must be an integer`);
  return seed >>> 0;
}

/** xorshift32 with a scrambled start, so that neighbouring seeds differ. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0 || 1;
    for (let i = 0; i < 8; i++) this.uint32();
  }

  uint32(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  /** An integer from 0 to limit - 1. */
  below(limit: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }

  isOneIn(count: number): boolean {
    return this.below(count) === 0;
  }
}

/** Byte `i` of the body of frame `n`: wrong bytes, old bytes and bytes of another frame are all noticed. */
export function patternByte(n: number, i: number): number {
  return (Math.imul(n + 1, 0x9e3779b1) + Math.imul(i, 0x01000193)) >>> 24;
}

export function fillPattern(u8: Uint8Array, offset: number, byteCount: number, n: number): void {
  for (let i = 0; i < byteCount; i++) u8[offset + i] = patternByte(n, i);
}

/** Index of the first byte that differs from the pattern, or -1. */
export function findMismatch(u8: Uint8Array, offset: number, byteCount: number, n: number): number {
  for (let i = 0; i < byteCount; i++) if (u8[offset + i] !== patternByte(n, i)) return i;
  return -1;
}
