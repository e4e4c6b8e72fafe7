// Owns the Future: a result that is settled once, tells callbacks at once and can be awaited. Application thread.

import { IllegalStateError, KafkaClientError } from '../../common/errors/errors.ts';
import { defer } from '../../common/microtask.ts';

type Callback<T> = (value: T) => void;

/**
 * The result of a request, as kafka-python's Future, and awaitable besides. Callbacks run synchronously, in the order
 * they were added, inside whatever call completes it (a drain of the response link, `poll`, `pollSync`); `await`
 * continues after that. One that nobody awaits never raises `unhandledRejection`, nor does one whose failure an errback
 * hears of, whatever promises were made of it besides.
 */
export class Future<T> implements PromiseLike<T> {
  #isDone = false;
  #value: T | undefined;
  #exception: Error | null = null;
  #callbacks: Callback<T>[] = [];
  #errbacks: Callback<Error>[] = [];
  #isFailureHeard = false;
  /** Made when it is first awaited. */
  #promise: Promise<T> | null = null;
  readonly #callbackThrew: (error: unknown) => void;

  /** @param callbackThrew told of what callbacks throw; default: a process warning */
  constructor(callbackThrew: (error: unknown) => void = warn) {
    this.#callbackThrew = callbackThrew;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Done without an exception. */
  get succeeded(): boolean {
    return this.#isDone && this.#exception === null;
  }

  /** Done with an exception. */
  get failed(): boolean {
    return this.#exception !== null;
  }

  /** The result; undefined until it succeeds. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Why it failed; null unless it did. */
  get exception(): Error | null {
    return this.#exception;
  }

  /** Whether the same request may succeed later; false unless it failed. */
  get retriable(): boolean {
    return this.#exception instanceof KafkaClientError && this.#exception.retriable;
  }

  /** Completes it. Throws IllegalStateError when it is complete already. */
  success(value: T): this {
    this.#complete();
    this.#value = value;
    this.#run(this.#callbacks, value);
    return this;
  }

  /** Completes it with an error. Throws IllegalStateError when it is complete already, TypeError for anything but an Error. */
  failure(exception: Error): this {
    if (!(exception instanceof Error))
      throw new TypeError(`a Future fails with an Error, not with ${typeof exception}`);
    this.#complete();
    this.#exception = exception;
    this.#run(this.#errbacks, exception);
    return this;
  }

  /** Calls `callback(...args, value)` on success: at once when it has already succeeded. */
  addCallback<A extends unknown[]>(callback: (...args: [...A, T]) => void, ...args: A): this {
    const bound: Callback<T> = (value) => callback(...args, value);
    if (!this.#isDone) this.#callbacks.push(bound);
    else if (this.#exception === null) this.#run([bound], this.#value as T);
    return this;
  }

  /** Calls `errback(...args, error)` on failure: at once when it has already failed. */
  addErrback<A extends unknown[]>(errback: (...args: [...A, Error]) => void, ...args: A): this {
    this.#isFailureHeard = true;
    this.#onFailure((error) => errback(...args, error));
    return this;
  }

  /** Calls `callback(...args, valueOrError)` either way. */
  addBoth<A extends unknown[]>(callback: (...args: [...A, T | Error]) => void, ...args: A): this {
    return this.addCallback<A>(callback, ...args).addErrback<A>(callback, ...args);
  }

  /** Passes the outcome on to `other`, unless that is complete by then. */
  chain(other: Future<T>): this {
    this.addCallback((value) => {
      if (!other.isDone) other.success(value);
    });
    return this.addErrback((error) => {
      if (!other.isDone) other.failure(error);
    });
  }

  // biome-ignore lint/suspicious/noThenProperty: awaitable by design
  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    this.#promise ??= new Promise<T>((resolve, reject) => {
      this.addCallback(resolve);
      this.#onFailure(reject);
    });
    const promise = this.#promise.then(onFulfilled, onRejected);
    if (typeof onRejected !== 'function') {
      // Not now: of a future that has failed already, the promise may be made first and the errback added after it.
      const leaveToErrback = (): void => {
        if (this.#isFailureHeard) promise.catch(() => {});
      };
      this.#onFailure(() => defer(leaveToErrback));
    }
    return promise;
  }

  #onFailure(errback: Callback<Error>): void {
    if (!this.#isDone) this.#errbacks.push(errback);
    else if (this.#exception !== null) this.#run([errback], this.#exception);
  }

  #complete(): void {
    if (this.#isDone) throw new IllegalStateError('this Future is already complete');
    this.#isDone = true;
  }

  #run<V>(callbacks: readonly Callback<V>[], value: V): void {
    // Released, so that a Future kept for its value keeps nothing else.
    this.#callbacks = [];
    this.#errbacks = [];
    for (const callback of callbacks) {
      try {
        callback(value);
      } catch (error) {
        // One listener's fault must not keep the others, or the reader of the link, from going on.
        this.#callbackThrew(error);
      }
    }
  }
}

/** A Future that has already failed. */
export function failedFuture<T>(error: Error, callbackThrew?: (error: unknown) => void): Future<T> {
  return new Future<T>(callbackThrew).failure(error);
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), { code: 'KAFKA_FUTURE_CALLBACK' });
}
