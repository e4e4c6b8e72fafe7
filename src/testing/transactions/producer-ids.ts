// Owns the giving out of producer ids: each node asks the controller for blocks, as brokers do, and has none at its
// start. Runs in the broker's thread.

const blockSize = 1000;

/** The controller's part. */
export class ProducerIdBlocks {
  #next = 0;

  take(): number {
    const first = this.#next;
    this.#next += blockSize;
    return first;
  }
}

/** One node's part. */
export class ProducerIds {
  readonly #blocks: ProducerIdBlocks;
  #next = 0;
  #end = 0;
  #isAsking = false;

  constructor(blocks: ProducerIdBlocks) {
    this.#blocks = blocks;
  }

  /** Null while the controller has not answered yet: COORDINATOR_LOAD_IN_PROGRESS. */
  next(): number | null {
    if (this.#next === this.#end) {
      this.#ask();
      return null;
    }
    return this.#next++;
  }

  /** As a broker that starts again: what was left of its block is lost. */
  restart(): void {
    this.#next = this.#end;
  }

  #ask(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    setImmediate(() => {
      this.#isAsking = false;
      this.#next = this.#blocks.take();
      this.#end = this.#next + blockSize;
    });
  }
}
