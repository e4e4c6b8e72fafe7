// Owns the Future: a result that is settled once, calls its callbacks at once and can be awaited. Application thread.

import { IllegalStateError, KafkaClientError } from '../../common/errors/errors.ts';
import { defer } from '../../common/microtask.ts';
import { thrownError } from '../../common/thrown.ts';
import { type CallerContext, callerContext, runIn } from './async-context.ts';
import { type CallPlace, callPlace, framesOf } from './call-place.ts';
import { type FailureUnseen, UnseenFailure } from './unseen-failures.ts';

/** A callback pair for a Future. The unused one is null. */
interface Reaction<T> {
  readonly onSuccess: ((value: T) => void) | null;
  readonly onFailure: ((error: Error) => void) | null;
  /** The async context of the code that added it. Null: it needs none. */
  readonly context: CallerContext | null;
}

/** The client's own access to Futures. It works even if the application has changed them. */
interface Access {
  /** Returns false when the Future was complete already. */
  succeed<T>(future: Future<T>, value: T): boolean;
  fail(future: Future<unknown>, error: Error): boolean;
  onSettled(future: Future<unknown>, listener: () => void): () => void;
}

let access: Access;

/**
 * The result of a request. It is like kafka-python's Future, and can be awaited. Callbacks run synchronously, in the order in
 * which they were added, inside the call that completes the Future (a drain of the response link, `poll`, `pollSync`). They run in
 * the async context (`AsyncLocalStorage`) of the code that added them. `await` continues after the callbacks.
 *
 * If nobody looks at a failure, a warning reports it. To await the Future, to call `then`, `catch` or `finally`, to add a callback,
 * and to read `failed`, `succeeded`, `exception` or `retriable` after the failure all count as a look. A Future by itself never
 * raises `unhandledRejection`. If an errback gets the failure, promises made from the Future do not raise it either.
 */
export class Future<T> implements PromiseLike<T> {
  #isDone = false;
  #value: T | undefined;
  #exception: Error | null = null;
  /** Null while there are none. Most Futures have none until they are awaited. */
  #reactions: Reaction<T>[] | null = null;
  #settledListeners: Set<() => void> | null = null;
  #isFailureHeard = false;
  #isSeen = false;
  #unseen: UnseenFailure | null = null;
  /** Made when the Future is first awaited. */
  #promise: Promise<T> | null = null;
  #place: CallPlace | null;
  readonly #callbackThrew: (error: unknown) => void;
  readonly #failureUnseen: FailureUnseen;

  static {
    access = {
      succeed: (future, value) => !future.#isDone && future.#succeed(value),
      fail: (future, error) => !future.#isDone && future.#fail(error),
      onSettled: (future, listener) => future.#onSettled(listener),
    };
  }

  /**
   * @param callbackThrew called with errors that callbacks throw; default: a process warning
   * @param failureUnseen called with a failure that nobody looked at; default: a process warning
   * @param place         the place of the call whose result this is; default: the place where it fails
   */
  constructor(
    callbackThrew: (error: unknown) => void = warn,
    failureUnseen: FailureUnseen = warnOfFailure,
    place: CallPlace | null = null,
  ) {
    this.#callbackThrew = callbackThrew;
    this.#failureUnseen = failureUnseen;
    this.#place = place;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether it is done without an exception. */
  get succeeded(): boolean {
    this.#lookAtFailure();
    return this.#isDone && this.#exception === null;
  }

  /** Whether it is done with an exception. */
  get failed(): boolean {
    this.#lookAtFailure();
    return this.#exception !== null;
  }

  /** The result. Undefined until the Future succeeds. */
  get value(): T | undefined {
    return this.#value;
  }

  /** The reason of the failure. Null unless the Future has failed. */
  get exception(): Error | null {
    this.#lookAtFailure();
    return this.#exception;
  }

  /** Whether the same request may succeed later. False unless the Future has failed. */
  get retriable(): boolean {
    this.#lookAtFailure();
    return this.#exception instanceof KafkaClientError && this.#exception.retriable;
  }

  /** Completes the Future. Throws IllegalStateError when it is complete already. */
  success(value: T): this {
    this.#checkOpen();
    this.#succeed(value);
    return this;
  }

  /** Completes the Future with an error. Throws IllegalStateError when it is complete already, and TypeError for anything but an Error. */
  failure(exception: Error): this {
    if (!(exception instanceof Error))
      throw new TypeError(`failure takes an Error, not a value of type ${typeof exception}`);
    this.#checkOpen();
    if (!this.#isSeen) this.#place ??= callPlace(this.failure);
    this.#fail(exception);
    return this;
  }

  /** Calls `callback(...args, value)` on success. If the Future has already succeeded, calls it at once. */
  addCallback<A extends unknown[]>(callback: (...args: [...A, T]) => void, ...args: A): this {
    this.#look();
    if (!this.#isDone || this.#exception === null) {
      this.#add({ onSuccess: (value) => callback(...args, value), onFailure: null, context: callerContext() });
    }
    return this;
  }

  /** Calls `errback(...args, error)` on failure. If the Future has already failed, calls it at once. */
  addErrback<A extends unknown[]>(errback: (...args: [...A, Error]) => void, ...args: A): this {
    this.#look();
    this.#isFailureHeard = true;
    if (!this.#isDone || this.#exception !== null) {
      this.#add({ onSuccess: null, onFailure: (error) => errback(...args, error), context: callerContext() });
    }
    return this;
  }

  /** Calls `callback(...args, valueOrError)` on success and on failure. */
  addBoth<A extends unknown[]>(callback: (...args: [...A, T | Error]) => void, ...args: A): this {
    return this.addCallback<A>(callback, ...args).addErrback<A>(callback, ...args);
  }

  /** Completes `other` with the same outcome, unless it is complete already. */
  chain(other: Future<T>): this {
    this.addCallback((value) => succeed(other, value));
    return this.addErrback((error) => fail(other, error));
  }

  // biome-ignore lint/suspicious/noThenProperty: awaitable by design
  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    const promise = this.#asPromise().then(onFulfilled, onRejected);
    if (typeof onRejected !== 'function') this.#leaveToErrback(promise);
    return promise;
  }

  /** Like a promise's `catch`. */
  catch<E = never>(onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null): Promise<T | E> {
    return this.then(undefined, onRejected);
  }

  /** Like a promise's `finally`. */
  finally(onFinally?: (() => void) | null): Promise<T> {
    const promise = this.#asPromise().finally(onFinally);
    this.#leaveToErrback(promise);
    return promise;
  }

  #asPromise(): Promise<T> {
    this.#look();
    this.#promise ??= new Promise<T>((resolve, reject) => {
      this.#add({ onSuccess: resolve, onFailure: reject, context: null });
    });
    return this.#promise;
  }

  /** The promise does not raise `unhandledRejection` if an errback gets the failure. */
  #leaveToErrback(promise: Promise<unknown>): void {
    // This is done later: the promise may be made before the errback is added, if the Future has failed already.
    const leave = (): void => {
      if (this.#isFailureHeard) promise.catch(() => {});
    };
    this.#add({ onSuccess: null, onFailure: () => defer(leave), context: null });
  }

  #add(reaction: Reaction<T>): void {
    if (this.#isDone) this.#react(reaction);
    else if (this.#reactions === null) this.#reactions = [reaction];
    else this.#reactions.push(reaction);
  }

  #onSettled(listener: () => void): () => void {
    this.#settledListeners ??= new Set();
    this.#settledListeners.add(listener);
    return () => void this.#settledListeners?.delete(listener);
  }

  /** The failure is looked at, or will be. */
  #look(): void {
    this.#isSeen = true;
    this.#place = null;
    if (this.#unseen === null) return;
    this.#unseen.forget();
    this.#unseen = null;
  }

  #lookAtFailure(): void {
    if (this.#unseen !== null) this.#look();
  }

  #checkOpen(): void {
    if (this.#isDone) throw new IllegalStateError('this Future is already complete');
  }

  #succeed(value: T): true {
    this.#isDone = true;
    this.#value = value;
    this.#place = null;
    this.#settled();
    return true;
  }

  #fail(exception: Error): true {
    this.#isDone = true;
    this.#exception = exception;
    if (!this.#isSeen) {
      const place = this.#place === null ? '' : framesOf(this.#place);
      this.#place = null;
      this.#unseen = new UnseenFailure(this, exception, place, this.#failureUnseen);
    }
    this.#settled();
    return true;
  }

  #settled(): void {
    // The reactions are released, so that a Future that is kept for its value keeps nothing else alive.
    const reactions = this.#reactions;
    this.#reactions = null;
    if (reactions !== null) for (const reaction of reactions) this.#react(reaction);
    const listeners = this.#settledListeners;
    this.#settledListeners = null;
    if (listeners !== null) for (const listener of listeners) listener();
  }

  #react({ onSuccess, onFailure, context }: Reaction<T>): void {
    try {
      if (this.#exception !== null) {
        if (onFailure !== null) runIn(context, onFailure, this.#exception);
      } else if (onSuccess !== null) {
        runIn(context, onSuccess, this.#value as T);
      }
    } catch (error) {
      // An error in one callback must not stop the other callbacks or the reader of the link.
      tell(this.#callbackThrew, error);
    }
  }
}

/** Completes the Future, unless the application has completed it. */
export function succeed<T>(future: Future<T>, value: T): void {
  access.succeed(future, value);
}

/** Completes the Future with an error, unless the application has completed it. */
export function fail<T>(future: Future<T>, error: Error): void {
  access.fail(future as Future<unknown>, error);
}

/** Calls `listener` when the Future is settled. `listener` must not throw. The Future must not be settled yet. @returns a function that removes the listener */
export function onSettled(future: Future<unknown>, listener: () => void): () => void {
  return access.onSettled(future, listener);
}

/** A Future that has already failed. @param place the place of the call whose result it is */
export function failedFuture<T>(
  error: Error,
  callbackThrew?: (error: unknown) => void,
  failureUnseen?: FailureUnseen,
  place: CallPlace | null = null,
): Future<T> {
  const future = new Future<T>(callbackThrew, failureUnseen, place);
  access.fail(future as Future<unknown>, error);
  return future;
}

function tell(listener: (error: unknown) => void, error: unknown): void {
  try {
    listener(error);
  } catch {
    // The usual reason is a full stack. A later callback of the event loop has room again.
    setImmediate(() => {
      try {
        listener(error);
      } catch (second) {
        warn(second);
      }
    });
  }
}

function warn(error: unknown): void {
  process.emitWarning(thrownError(error), { code: 'KAFKA_FUTURE_CALLBACK' });
}

function warnOfFailure(error: Error, place: string): void {
  process.emitWarning(unseenText(error, place), { type: 'KafkaWarning', code: 'KAFKA_FAILURE_UNSEEN', detail: place });
}

/** The warning about a failure that nobody looked at. */
export function unseenText(error: Error, place: string): string {
  const { name, message } = thrownError(error);
  const where = place === '' ? '' : `, made ${place.split('\n', 1)[0]}`;
  return `a call failed and nobody looked at its Future${where}: ${name}: ${message}; await it, or add an errback`;
}
