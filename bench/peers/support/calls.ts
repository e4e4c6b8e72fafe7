// Owns the calls of clients that take a list of messages: a few under way at a time. Main thread of a contender.

/** About as many bytes as Kafka's own producer puts into a request while several requests are under way. */
const callBytes = 128 * 1024;
export const callsUnderWay = 5;

/** Messages in a call. */
export function recordsPerCall(valueBytes: number): number {
  return Math.max(1, Math.floor(callBytes / valueBytes));
}

export class Calls {
  readonly #under = new Set<Promise<void>>();
  #failure: unknown = null;

  /** Resolves when the call has begun. */
  async add(call: () => Promise<unknown>): Promise<void> {
    while (this.#under.size >= callsUnderWay) await Promise.race(this.#under);
    if (this.#failure !== null) throw this.#failure;
    const under: Promise<void> = call().then(
      () => void this.#under.delete(under),
      (error: unknown) => {
        this.#failure ??= error;
        this.#under.delete(under);
      },
    );
    this.#under.add(under);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#under);
    if (this.#failure !== null) throw this.#failure;
  }
}
