// Owns the answer of a call that lists: a promise of all, which can also be iterated. Application thread.

/** A promise of everything that was listed. `for await` over it gives the items one by one. */
export class Listing<Answer, Item> extends Promise<Answer> implements AsyncIterable<Item> {
  readonly #itemsOf: (answer: Answer) => Iterable<Item>;

  /** Internal: calls of Admin make it. */
  constructor(answer: Promise<Answer>, itemsOf: (answer: Answer) => Iterable<Item>) {
    super((resolve, reject) => {
      answer.then(resolve, reject);
    });
    this.#itemsOf = itemsOf;
  }

  /** What `then` and `catch` return are ordinary promises. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, void> {
    yield* this.#itemsOf(await this);
  }
}
