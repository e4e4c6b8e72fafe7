// Owns whether a `sendAll` still takes records, and what it waits for meanwhile: its source, a serializer, or room. Application thread.
// Must not write a record, and must not know why the taking ends.

export class Taking {
  /** Why no more records are taken. Null while they are. */
  #error: Error | null = null;
  /** Ends the wait that is under way. There is one at a time. */
  #stop: (error: Error) => void = () => {};

  /** No more records are taken, and what is waited for now ends with this error. Only the first call counts. */
  end(error: Error): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#stop(error);
  }

  /** Throws the error of the end. */
  check(): void {
    if (this.#error !== null) throw this.#error;
  }

  /** The outcome of the wait, or the error of the end if that comes first. */
  unlessEnded<T>(waiting: PromiseLike<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#stop = reject;
      if (this.#error !== null) reject(this.#error);
      waiting.then(resolve, reject);
    });
  }

  /**
   * The records of the source, and after the end one more, which is none: `check` comes before it is looked at. The loop that reads them
   * then leaves the source by `return` of its iterator, and does not wait for that.
   */
  from<T>(source: AsyncIterable<T>): AsyncIterable<T> {
    return { [Symbol.asyncIterator]: () => this.#iterator(source[Symbol.asyncIterator]()) };
  }

  #iterator<T>(records: AsyncIterator<T>): AsyncIterator<T> {
    const leave = async (): Promise<void> => void (await records.return?.());
    return {
      next: () =>
        new Promise((resolve, reject) => {
          this.#stop = () => resolve({ done: false, value: undefined as T });
          Promise.resolve(records.next()).then(resolve, reject);
        }),
      return: async () => {
        await this.unlessEnded(leave());
        return { done: true, value: undefined };
      },
    };
  }
}
