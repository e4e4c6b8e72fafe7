// Owns the iteration over responses: what has come and was not taken yet, and who waits for more. Application thread. An
// iterator that is dropped must leave nothing behind, so nothing here but the iterator itself may refer to it.

import { onAbort } from '../link/abort-signals.ts';

type Result = IteratorResult<unknown, void>;

/** What a stream needs of the session. */
export interface StreamSource {
  /** Calls `listener` with each response from now on. @returns ends that */
  listenForResponses(listener: (response: unknown) => void): () => void;
  /** Something is waited for: keeps the process alive. @returns ends that */
  keepAlive(): () => void;
  /** Whether no response can come any more. */
  readonly isAtEnd: boolean;
  /** Calls `listener` when that becomes so. @returns ends that */
  onEnd(listener: () => void): () => void;
}

/** One that was dropped without `return` ends when it is collected. */
const dropped = new FinalizationRegistry<ResponseStream>((stream) => stream.end());

class ResponseStream {
  readonly #source: StreamSource;
  readonly #signal: AbortSignal | null;
  /** Taken from `#taken` on. */
  #queue: unknown[] = [];
  #taken = 0;
  #waiting: ((result: Result) => void)[] = [];
  #release: (() => void) | null = null;
  #hasBegun = false;
  #isOver = false;
  readonly #stops: (() => void)[] = [];

  constructor(source: StreamSource, signal: AbortSignal | null) {
    this.#source = source;
    this.#signal = signal;
  }

  next(): Promise<Result> {
    if (!this.#hasBegun) this.#begin();
    if (this.#taken < this.#queue.length) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#release ??= this.#source.keepAlive();
    });
  }

  /** Nothing more is taken in; what has come can still be read. */
  end(): void {
    this.#hasBegun = true;
    this.#isOver = true;
    for (const stop of this.#stops.splice(0)) stop();
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
    this.#rest();
  }

  discard(): void {
    this.end();
    this.#queue = [];
    this.#taken = 0;
  }

  #begin(): void {
    this.#hasBegun = true;
    if (this.#source.isAtEnd || this.#signal?.aborted === true) {
      this.#isOver = true;
      return;
    }
    const end = (): void => this.end();
    this.#stops.push(
      this.#source.listenForResponses((response) => this.#add(response)),
      this.#source.onEnd(end),
    );
    if (this.#signal !== null) this.#stops.push(onAbort(this.#signal, end));
  }

  #add(response: unknown): void {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) {
      this.#queue.push(response);
      return;
    }
    resolve({ done: false, value: response });
    if (this.#waiting.length === 0) this.#rest();
  }

  #take(): unknown {
    const response = this.#queue[this.#taken];
    this.#queue[this.#taken++] = undefined;
    if (this.#taken * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#taken);
      this.#taken = 0;
    }
    return response;
  }

  #rest(): void {
    this.#release?.();
    this.#release = null;
  }
}

/** What `responses()` returns. */
export class ResponseIterator implements AsyncGenerator<unknown, void, void> {
  readonly #stream: ResponseStream;
  /** Whoever is in the loop holds the client, so that it does not count as dropped. */
  readonly client: object;

  constructor(client: object, source: StreamSource, signal: AbortSignal | null) {
    this.client = client;
    this.#stream = new ResponseStream(source, signal);
    dropped.register(this, this.#stream);
  }

  // Not async: a step that waits would hold the iterator itself, and one that was dropped would never be collected.
  next(): Promise<Result> {
    return this.#stream.next();
  }

  return(): Promise<Result> {
    this.#stream.discard();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<Result> {
    this.#stream.discard();
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.discard();
  }
}
